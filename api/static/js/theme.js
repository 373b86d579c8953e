// @ts-check
// The colours of the style sheet for the canvas of the chart; the system chooses light or dark.

const dark = matchMedia("(prefers-color-scheme: dark)");
const NAMES = ["text", "soft", "line", "panel", "raised", "accent", "up", "down", "warning", "font"];
const LINES = 8;

/** @typedef {Record<string, string> & {lines: any}} Theme */

/** @returns {Theme} */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const value = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  /** @type {any} */
  const colors = Object.fromEntries(NAMES.map((name) => [name, value(name)]));
  const lines = Array.from({ length: LINES }, (_, at) => value(`line-${at + 1}`));
  return { ...colors, lines, size: String(parseFloat(style.fontSize) * 0.6875) };
}

/** @param {() => void} changed */
export const onChange = (changed) => dark.addEventListener("change", changed);
