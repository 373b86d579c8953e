// @ts-check
// The colours of the style sheet, for what is drawn on a canvas; the system chooses light or dark.

const dark = matchMedia("(prefers-color-scheme: dark)");
const NAMES = ["text", "soft", "line", "panel", "raised", "accent", "up", "down", "font"];
const LINES = 8;

/** @typedef {Record<string, string> & {lines: any}} Look */

/** @returns {Look} */
export function look() {
  const style = getComputedStyle(document.documentElement);
  const value = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  /** @type {any} */
  const found = Object.fromEntries(NAMES.map((name) => [name, value(name)]));
  const lines = Array.from({ length: LINES }, (_, at) => value(`line-${at + 1}`));
  return { ...found, lines, size: String(parseFloat(style.fontSize) * 0.6875) };
}

/** @param {() => void} changed */
export const onChange = (changed) => dark.addEventListener("change", changed);
