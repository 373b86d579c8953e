// @ts-check
// A roving tabindex: Tab stops once at all buttons, the arrow keys move among them as they lie on the screen.

/** @typedef {{element: HTMLElement, button: HTMLElement, stop: (isStop: boolean) => void}} Item */

/** @param {HTMLElement} list @param {() => (Item | undefined)[]} items in their order */
export function createRoving(list, items) {
  /** @type {Item | undefined} */
  let current;

  /** @param {Item | undefined} item */
  function reset(item) {
    const next = item && !item.element.hidden ? item : items()[0];
    if (next === current) return;
    current?.stop(false);
    next?.stop(true);
    current = next;
  }

  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey) return;
    const all = items();
    const at = all.findIndex((item) => item?.element.contains(document.activeElement));
    const to = target(event.key, at, all.length, columns(list));
    const next = all[Math.min(all.length - 1, Math.max(0, to))];
    if (at < 0 || Number.isNaN(to) || !next) return;
    event.preventDefault();
    reset(next);
    next.button.focus();
    next.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  return { reset };
}

/** @param {string} key @param {number} at @param {number} count @param {number} width */
function target(key, at, count, width) {
  switch (key) {
    case "ArrowRight": return at + 1;
    case "ArrowLeft": return at - 1;
    case "ArrowDown": return at + width;
    case "ArrowUp": return at - width;
    case "Home": return 0;
    case "End": return count - 1;
    default: return NaN;
  }
}

/** The number of columns. @param {HTMLElement} list */
function columns(list) {
  const style = getComputedStyle(list);
  return style.gridAutoFlow.startsWith("column") ? 1 : style.gridTemplateColumns.split(" ").length;
}
