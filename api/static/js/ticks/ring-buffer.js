// @ts-check

/** The newest `most` items and no more. @template T @param {number} most */
export function createRing(most) {
  /** @type {T[]} */
  let items = [];
  let next = 0;
  return {
    /** @param {T} item */
    push(item) {
      items[next] = item;
      next = (next + 1) % most;
    },
    size: () => items.length,
    /** The newest is 0. @param {number} index @returns {T} */
    at: (index) => items[(next - 1 - index + 2 * most) % most],
    clear() {
      items = [];
      next = 0;
    },
  };
}
