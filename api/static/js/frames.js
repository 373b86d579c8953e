// @ts-check
// Painting: at most once per frame of the screen, and never while the page is hidden.

/** @returns {{add: (paint: (now: number) => void) => void, after: (done: () => void) => void, request: () => void}} */
export function createFrames() {
  /** @type {((now: number) => void)[]} */
  const painters = [];
  /** @type {(() => void)[]} */
  const listeners = [];
  let isRequested = false;

  const request = () => {
    if (isRequested || document.hidden) return;
    isRequested = true;
    requestAnimationFrame((now) => {
      isRequested = false;
      for (const paint of painters) paint(now);
      // A new task runs after the browser has painted the frame.
      if (listeners.length) setTimeout(() => listeners.forEach((listener) => listener()));
    });
  };
  document.addEventListener("visibilitychange", request);
  return {
    add: (paint) => void painters.push(paint),
    after: (listener) => void listeners.push(listener),
    request,
  };
}

/** A function that returns true at most once in so many milliseconds. @param {number} pause */
export function everyMs(pause) {
  let last = -Infinity;
  return (/** @type {number} */ now) => {
    if (now - last < pause) return false;
    last = now;
    return true;
  };
}
