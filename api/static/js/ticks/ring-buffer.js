// @ts-check

/** A buffer of the newest items, at most `capacity` of them. @template T @param {number} capacity */
export function createRingBuffer(capacity) {
  /** @type {T[]} */
  let items = [];
  let next = 0;
  return {
    /** @param {T} item */
    push(item) {
      items[next] = item;
      next = (next + 1) % capacity;
    },
    size: () => items.length,
    /** The newest is 0. @param {number} index @returns {T} */
    at: (index) => items[(next - 1 - index + 2 * capacity) % capacity],
    clear() {
      items = [];
      next = 0;
    },
  };
}
