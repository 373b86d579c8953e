// @ts-check
// Functions on elements that all parts share.

/** The element of a selector; throw if index.html has none. @param {string} selector @param {ParentNode} [root] @returns {HTMLElement} */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`${selector} is not in index.html`);
  return element;
}

/** A copy of the content of a <template>. @param {string} id @returns {HTMLElement} */
export function cloneTemplate(id) {
  const template = /** @type {HTMLTemplateElement} */ (find(`template#${id}`));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/** Set a text only if it differs: an equal one would still cause a layout. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.firstChild instanceof Text && !element.firstChild.nextSibling) {
    if (element.firstChild.data !== text) element.firstChild.data = text;
  } else if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** @param {Element} element @param {string} name @param {string} value */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** @param {string} tag @param {Record<string, string>} attributes @param {...(Node | string)} children */
export function makeElement(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Close a dialog by a click on its button, or on its backdrop. @param {HTMLDialogElement} dialog @param {string} button its selector */
export function closeOnClick(dialog, button) {
  find(button, dialog).addEventListener("click", () => dialog.close());
  // A click on the backdrop has the dialog itself as its target.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
