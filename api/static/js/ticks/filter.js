// @ts-check
// The filter of the ticks: a symbol passes if it contains one of the words.

/** @param {string} text @returns {(symbol: string) => boolean} */
export function createFilter(text) {
  const words = text.toUpperCase().split(/[\s,;]+/).filter(Boolean);
  return (symbol) => !words.length || words.some((word) => symbol.toUpperCase().includes(word));
}
