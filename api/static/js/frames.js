// @ts-check
// When the page is painted: at most once per frame of the screen, and never while it is hidden.

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
      // A task of its own comes after the browser has painted the frame.
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

/** Whether so many milliseconds have passed since it last said so. @param {number} pause */
export function everyMs(pause) {
  let last = -Infinity;
  return (/** @type {number} */ now) => {
    if (now - last < pause) return false;
    last = now;
    return true;
  };
}
