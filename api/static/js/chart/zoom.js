// @ts-check
// The visible part of the range, and whether it follows the newest tick. No clock, no page.

/** @typedef {{left: number, right: number}} Window */

/** The whole range, with some room after its end, which is a share of it. @param {{begin: number, end: number, first: number, step: number, room: number}} range @returns {Window} */
export function whole({ begin, end, first, step, room }) {
  // The ticks of a young pipeline fill the chart, instead of a few pixels at the right.
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

/** Whether the newest tick is visible. @param {Window} window @param {Window} all @param {number} step */
export const follows = (window, all, step) => window.right >= all.right - 2 * step;

/** @param {Window} window @param {Window} all @param {number} factor @param {number} least @returns {Window} */
export function zoomed(window, all, factor, least) {
  const width = Math.min(Math.max((window.right - window.left) * factor, least), all.right - all.left);
  // The right end stays, which is the newest.
  return { left: window.right - width, right: window.right };
}

/** @param {Window} a @param {Window} b */
export const isWhole = (a, b) => a.right - a.left > 0.995 * (b.right - b.left);
