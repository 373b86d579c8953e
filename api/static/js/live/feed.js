// @ts-check
// The stream of ticks: read for ever, and resumed after the last event when it breaks.

import { failure, request } from "../api.js";
import { createParser } from "./sse.js";

/** @typedef {import("../types.js").Row} Row */
/** @typedef {"connecting" | "live" | "reconnecting"} FeedState */

// Pings come every 15 s.
const SILENCE_MS = 20_000;
// After a longer gap everything is loaded again, which takes less time than a replay.
const MAX_GAP_MS = 60_000;
const MAX_PAUSE_MS = 15_000;

/**
 * @param {{rows: (rows: Row[], isComplete: boolean) => void, state: (state: FeedState, why: string) => void,
 *   alerts: (alerts: import("../types.js").Alert[]) => void, lost: () => void}} handlers `isComplete`: no tick is missing between these and those before;
 *   `lost`: connected again, with ticks missing
 */
export function createFeed(handlers) {
  let id = "";
  // The time of the last byte, and of the last request.
  let receivedAt = Date.now();
  let requestedAt = receivedAt;
  let retry = 1000;
  let failures = 0;
  let controller = new AbortController();
  let wake = () => {};
  /** @type {Map<string, bigint>} the last offset of each source; a resumed stream may start before it */
  const offsets = new Map();

  /** The rows that were not received before. @param {Row[]} rows */
  function fresh(rows) {
    const isNew = (/** @type {Row} */ row) => BigInt(row.kafka_offset) > (offsets.get(source(row)) ?? -1n);
    const unseen = rows.filter(isNew);
    for (const row of unseen) if (isNew(row)) offsets.set(source(row), BigInt(row.kafka_offset));
    return unseen;
  }
  const source = (/** @type {Row} */ row) => `${row.inserted_by}/${row.kafka_partition}`;

  const parser = () => createParser({
    id: (value) => void (id = value),
    retry: (ms) => void (retry = Math.min(ms, MAX_PAUSE_MS)),
    message({ event, data }) {
      if (event === "problem") handlers.state("live", JSON.parse(data).detail ?? "");
      else if (event === "alert") handlers.alerts(JSON.parse(data));
      else handlers.rows(fresh(JSON.parse(data)), event !== "newest");
    },
  });

  async function listen() {
    controller = new AbortController();
    const gap = Date.now() - receivedAt;
    const isResumed = id !== "" && gap < MAX_GAP_MS;
    const isLost = id !== "" && !isResumed;
    if (!isResumed) offsets.clear();
    requestedAt = Date.now();
    const response = await request("/api/stream", {
      headers: { Accept: "text/event-stream", ...(isResumed ? { "Last-Event-ID": id } : {}) },
      signal: controller.signal,
      cache: "no-store",
    });
    // The server does not know the id: load everything again.
    if (response.status === 400) receivedAt = 0;
    if (!response.ok || !response.body) throw await failure(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parse = parser();
    for (let isOpen = false; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      receivedAt = Date.now();
      if (!isOpen) {
        isOpen = true;
        failures = 0;
        handlers.state("live", "");
        if (isLost) handlers.lost();
      }
      parse(value);
    }
  }

  async function run() {
    handlers.state("connecting", "");
    for (;;) {
      let why = "";
      // The pause that the server asks for.
      let retryAfter = 0;
      await listen().catch((error) => {
        if (!controller.signal.aborted) why = error.message;
        retryAfter = 1000 * (error.retryAfter ?? 0);
      });
      handlers.state("reconnecting", why);
      // Random, so that not all clients of a restarted server connect at the same moment.
      const pause = Math.max(retryAfter, Math.min(MAX_PAUSE_MS, retry * 2 ** failures++) * (0.5 + Math.random() / 2));
      await new Promise((resolve) => {
        wake = () => resolve(undefined);
        setTimeout(resolve, failures === 1 && !retryAfter ? Math.min(pause, 500) : pause);
      });
    }
  }

  /** Reconnect if nothing was received for too long. */
  const check = () => {
    if (Date.now() - Math.max(receivedAt, requestedAt) > SILENCE_MS) controller.abort();
  };
  setInterval(check, 2000);
  addEventListener("online", () => (check(), wake()));
  addEventListener("pageshow", () => (check(), wake()));
  document.addEventListener("visibilitychange", () => !document.hidden && (check(), wake()));
  return { start: () => void run() };
}
