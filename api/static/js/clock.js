// @ts-check
// The server's clock: the viewer's may be wrong by more than the delays that the page shows.

// The bounds of how far the server's clock is ahead: each response narrows them.
let lower = -Infinity;
let upper = Infinity;

/** Between `sent` and `received` the server's time was `server` to `server + slack` at some moment. @param {number} server @param {number} slack @param {number} sent @param {number} received */
export function observe(server, slack, sent, received) {
  if (!Number.isFinite(server)) return;
  const low = server - received;
  const high = server + slack - sent;
  // No overlap: one of the clocks was set, or has drifted.
  if (low > upper || high < lower) [lower, upper] = [low, high];
  else [lower, upper] = [Math.max(lower, low), Math.min(upper, high)];
}

/** How far the server's clock is ahead, in milliseconds; 0 if the two may agree. */
export function offset() {
  if (lower <= 0 && upper >= 0) return 0;
  return Number.isFinite(lower + upper) ? (lower + upper) / 2 : 0;
}

export const now = () => Date.now() + offset();
