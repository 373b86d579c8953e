// @ts-check
// Which symbols a filter lets through: those that hold one of its words.

/** @param {string} text @returns {(symbol: string) => boolean} */
export function createFilter(text) {
  const words = text.toUpperCase().split(/[\s,;]+/).filter(Boolean);
  return (symbol) => !words.length || words.some((word) => symbol.toUpperCase().includes(word));
}
