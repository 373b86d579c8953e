// @ts-check
// A parser of server-sent events, as the HTML standard defines it.

/**
 * @typedef {{event: string, data: string, id: string}} Message
 * @typedef {{message: (message: Message) => void, id: (id: string) => void, retry: (ms: number) => void}} Handlers
 */

/** A function that takes text in pieces of any size and calls the handlers. @param {Handlers} handlers @returns {(text: string) => void} */
export function createParser(handlers) {
  let rest = "";
  // Where to continue the search for the end of a line: a long line arrives in many pieces.
  let seen = 0;
  let isFirst = true;
  let event = "";
  let id = "";
  /** @type {string[]} */
  let data = [];

  const dispatch = () => {
    // Only with a complete event: one that was cut off must be requested again.
    if (id) handlers.id(id);
    if (data.length) handlers.message({ event: event || "message", data: data.join("\n"), id });
    event = "";
    data = [];
  };
  const line = (/** @type {string} */ text) => {
    if (text === "") return dispatch();
    const colon = text.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + (text[colon + 1] === " " ? 2 : 1));
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d+$/.test(value)) handlers.retry(Number(value));
  };
  return (text) => {
    rest += isFirst ? text.replace(/^\uFEFF/, "") : text;
    isFirst = isFirst && text === "";
    for (let begin = 0; ; ) {
      const end = nextEnd(rest, seen);
      // A CR at the very end may be half of a CR LF.
      if (end < 0 || (rest[end] === "\r" && end === rest.length - 1)) {
        rest = rest.slice(begin);
        seen = end < 0 ? rest.length : end - begin;
        return;
      }
      line(rest.slice(begin, end));
      begin = seen = end + (rest[end] === "\r" && rest[end + 1] === "\n" ? 2 : 1);
    }
  };
}

/** @param {string} text @param {number} from */
function nextEnd(text, from) {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) return at;
  }
  return -1;
}
