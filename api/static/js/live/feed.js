// @ts-check
// The stream of ticks: read for ever, begun again where it broke off.

import { failure, request } from "../api.js";
import { createParser } from "./sse.js";

/** @typedef {import("../types.js").Row} Row */
/** @typedef {"connecting" | "live" | "reconnecting"} FeedState */

// Pings come every 15 s.
const SILENCE_MS = 20_000;
// After a longer gap all is loaded anew: to replay it would take longer.
const MOST_GAP_MS = 60_000;
const MOST_PAUSE_MS = 15_000;

/**
 * @param {{rows: (rows: Row[], isWhole: boolean) => void, state: (state: FeedState, why: string) => void,
 *   lost: () => void}} hands `isWhole`: no tick is missing between these and the last;
 *   `lost`: connected again, with ticks missing
 */
export function createFeed(hands) {
  let id = "";
  // The last byte, and the last try to get one.
  let heard = Date.now();
  let tried = heard;
  let retry = 1000;
  let failures = 0;
  let controller = new AbortController();
  let wake = () => {};
  /** @type {Map<string, bigint>} the last offset of each source: a resumed stream may begin before it */
  const places = new Map();

  /** Those that did not come yet. @param {Row[]} rows */
  function fresh(rows) {
    const isNew = (/** @type {Row} */ row) => BigInt(row.kafka_offset) > (places.get(source(row)) ?? -1n);
    const found = rows.filter(isNew);
    for (const row of found) if (isNew(row)) places.set(source(row), BigInt(row.kafka_offset));
    return found;
  }
  const source = (/** @type {Row} */ row) => `${row.inserted_by}/${row.kafka_partition}`;

  const parser = () => createParser({
    id: (value) => void (id = value),
    retry: (ms) => void (retry = Math.min(ms, MOST_PAUSE_MS)),
    message({ event, data }) {
      if (event === "problem") hands.state("live", JSON.parse(data).detail ?? "");
      else hands.rows(fresh(JSON.parse(data)), event !== "newest");
    },
  });

  async function listen() {
    controller = new AbortController();
    const gap = Date.now() - heard;
    const isResumed = id !== "" && gap < MOST_GAP_MS;
    const isLost = id !== "" && !isResumed;
    if (!isResumed) places.clear();
    tried = Date.now();
    const response = await request("/api/stream", {
      headers: { Accept: "text/event-stream", ...(isResumed ? { "Last-Event-ID": id } : {}) },
      signal: controller.signal,
      cache: "no-store",
    });
    // The id is unknown to the server: load everything again.
    if (response.status === 400) heard = 0;
    if (!response.ok || !response.body) throw await failure(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parse = parser();
    for (let isOpen = false; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      heard = Date.now();
      if (!isOpen) {
        isOpen = true;
        failures = 0;
        hands.state("live", "");
        if (isLost) hands.lost();
      }
      parse(value);
    }
  }

  async function run() {
    hands.state("connecting", "");
    for (;;) {
      let why = "";
      // What the server asks for.
      let asked = 0;
      await listen().catch((error) => {
        if (!controller.signal.aborted) why = error.message;
        asked = 1000 * (error.retryAfter ?? 0);
      });
      hands.state("reconnecting", why);
      // Not all clients of a server that was started anew at the same moment.
      const pause = Math.max(asked, Math.min(MOST_PAUSE_MS, retry * 2 ** failures++) * (0.5 + Math.random() / 2));
      await new Promise((resolve) => {
        wake = () => resolve(undefined);
        setTimeout(resolve, failures === 1 && !asked ? Math.min(pause, 500) : pause);
      });
    }
  }

  /** Begin again if nothing was heard for too long; at once if it is waiting to. */
  const check = () => {
    if (Date.now() - Math.max(heard, tried) > SILENCE_MS) controller.abort();
  };
  setInterval(check, 2000);
  addEventListener("online", () => (check(), wake()));
  addEventListener("pageshow", () => (check(), wake()));
  document.addEventListener("visibilitychange", () => !document.hidden && (check(), wake()));
  return { start: () => void run() };
}
