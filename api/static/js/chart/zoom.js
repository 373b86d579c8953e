// @ts-check
// Which part of the range is seen, and whether it moves on with the newest tick. No clock, no page.

/** @typedef {{left: number, right: number}} Window */

/** The whole range: what is there, and some room, a share of it, after its end. @param {{begin: number, end: number, first: number, step: number, room: number}} range @returns {Window} */
export function whole({ begin, end, first, step, room }) {
  // A young pipeline fills its chart; it need not be a dot at the right.
  const left = Math.min(Math.max(begin, first), end - 40 * step);
  return { left, right: end + Math.max(step, room * (end - left)) };
}

/** The window after the range has moved on, if it follows. @param {Window} window @param {Window} all @param {boolean} follows @returns {Window} */
export function moved(window, all, follows) {
  const width = Math.min(window.right - window.left, all.right - all.left);
  if (follows) return { left: all.right - width, right: all.right };
  const left = Math.min(Math.max(window.left, all.left), all.right - width);
  return { left, right: left + width };
}

/** Whether the newest is seen. @param {Window} window @param {Window} all @param {number} step */
export const follows = (window, all, step) => window.right >= all.right - 2 * step;

/** @param {Window} window @param {Window} all @param {number} factor @param {number} least @returns {Window} */
export function zoomed(window, all, factor, least) {
  const width = Math.min(Math.max((window.right - window.left) * factor, least), all.right - all.left);
  // Around the right end: that is where the news are.
  return { left: window.right - width, right: window.right };
}

/** @param {Window} a @param {Window} b */
export const isWhole = (a, b) => a.right - a.left > 0.995 * (b.right - b.left);
