// @ts-check
// The state of the pipeline, in words. No clock, no page.

import { capitalized } from "../format.js";

/**
 * @typedef {{feed: "connecting" | "live" | "reconnecting", why: string, isOnline: boolean,
 *   health: any, symbols: number, silence: number}} Facts
 *   `health`: the last answer of /health, null before the first;
 *   `silence`: milliseconds since the last tick.
 * @typedef {{state: "connecting" | "live" | "warning" | "down", word: string, text: string}} Status
 */

const SILENT_MS = 10_000;

/** @param {Facts} facts @returns {Status} */
export function status(facts) {
  const { feed, why, isOnline, health, symbols } = facts;
  if (!isOnline) return down("Offline", "This machine has no network. The page continues when the network is back.");
  if (feed === "reconnecting" && !isUnavailable(health)) {
    return down("Reconnecting", `${why || "The connection to the API was lost."} Reconnecting.`);
  }
  if (isUnavailable(health)) return down("ClickHouse down", "ClickHouse does not answer; `make up` starts it.");
  if (feed === "connecting") return { state: "connecting", word: "Connecting", text: "" };
  /** @type {any[]} */
  const parts = health?.parts ?? [];
  const part = ["down", "starting"].map((name) => parts.find((each) => each.status === name)).find(Boolean);
  if (part) return warning(`${capitalized(part.part)} ${part.status}`, `${capitalized(part.part)}: ${part.message || part.status}.`);
  if (!symbols) return warning("No ticks yet", "");
  if (facts.silence > SILENT_MS) {
    return warning("No new ticks", "No tick arrived for over 10 seconds. Is the producer running? `make produce` sends ticks.");
  }
  if (why) return warning("Live", why);
  // A job that is up has a message only if records were lost.
  const lost = parts.find((each) => each.part.startsWith("job ") && each.status === "up" && each.message);
  if (lost) return warning("Live", `${capitalized(lost.part)}: ${lost.message}`);
  return { state: "live", word: "Live", text: "" };
}

const isUnavailable = (/** @type {any} */ health) => health?.clickhouse === "down";

/** @param {string} word @param {string} text @returns {Status} */
const down = (word, text) => ({ state: "down", word, text });
/** @param {string} word @param {string} text @returns {Status} */
const warning = (word, text) => ({ state: "warning", word, text });
