// @ts-check
// A line of prices as an SVG path in a box of 100 by 28 units, which the page stretches.

const WIDTH = 100;
const HEIGHT = 28;
const INSET = 2;

/** The paths of the line, and of the level that it starts from. @param {number[]} times @param {number[]} prices @param {number} level */
export function paths(times, prices, level) {
  if (times.length < 2) return { line: "", level: "" };
  const [low, high] = bounds(prices, level);
  const begin = times[0];
  const duration = times[times.length - 1] - begin || 1;
  const y = (/** @type {number} */ price) =>
    (HEIGHT - INSET - ((price - low) / (high - low || 1)) * (HEIGHT - 2 * INSET)).toFixed(1);
  const points = times.map((time, at) => `${(((time - begin) / duration) * WIDTH).toFixed(1)} ${y(prices[at])}`);
  return { line: `M${points.join("L")}`, level: Number.isFinite(level) ? `M0 ${y(level)}H${WIDTH}` : "" };
}

/** @param {number[]} prices @param {number} level */
function bounds(prices, level) {
  let low = Number.isFinite(level) ? level : prices[0];
  let high = low;
  for (const price of prices) {
    if (price < low) low = price;
    if (price > high) high = price;
  }
  return [low, high];
}
