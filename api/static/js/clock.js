// @ts-check
// The server's clock: the viewer's may be wrong, and delays of milliseconds are shown.

// What the server's clock is ahead by lies in between: each answer narrows it.
let least = -Infinity;
let most = Infinity;

/** The server's time was `server` to `server + slack` at some moment between two of ours. @param {number} server @param {number} slack @param {number} sent @param {number} received */
export function observe(server, slack, sent, received) {
  if (!Number.isFinite(server)) return;
  const low = server - received;
  const high = server + slack - sent;
  // No overlap: one of the clocks was set, or has drifted.
  if (low > most || high < least) [least, most] = [low, high];
  else [least, most] = [Math.max(least, low), Math.min(most, high)];
}

/** How far the server's clock is ahead, in milliseconds; 0 if the two may well agree. */
export function offset() {
  if (least <= 0 && most >= 0) return 0;
  return Number.isFinite(least + most) ? (least + most) / 2 : 0;
}

export const now = () => Date.now() + offset();
