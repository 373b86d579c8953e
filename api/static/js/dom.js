// @ts-check
// Small things that every part does to the page.

/** The element of a selector, which is in index.html. @param {string} selector @param {ParentNode} [root] @returns {HTMLElement} */
export function find(selector, root = document) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`${selector} is not in index.html`);
  return found;
}

/** A copy of what a <template> holds. @param {string} id @returns {HTMLElement} */
export function copy(id) {
  const template = /** @type {HTMLTemplateElement} */ (find(`template#${id}`));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/** Change a text only if it differs: an equal one would still cost a layout. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.firstChild instanceof Text && !element.firstChild.nextSibling) {
    if (element.firstChild.data !== text) element.firstChild.data = text;
  } else if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** @param {Element} element @param {string} name @param {string} value */
export function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {string} tag @param {Record<string, string>} attributes @param {...(Node | string)} children */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
