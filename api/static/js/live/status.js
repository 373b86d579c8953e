// @ts-check
// What is wrong with the pipeline, in words. No clock, no page.

/**
 * @typedef {{feed: "connecting" | "live" | "reconnecting", why: string, isOnline: boolean,
 *   health: any, symbols: number, silence: number}} Facts
 *   `health`: what /health said, null before it did;
 *   `silence`: for how many milliseconds no tick has come.
 * @typedef {{state: "connecting" | "live" | "warning" | "down", word: string, text: string}} Verdict
 */

const SILENT_MS = 10_000;

/** @param {Facts} facts @returns {Verdict} */
export function judge(facts) {
  const { feed, why, isOnline, health, symbols } = facts;
  if (!isOnline) return down("Offline", "This machine has no network. The page goes on when it has.");
  if (feed === "reconnecting" && !isAway(health)) {
    return down("Reconnecting", `${why || "The connection to the API broke off."} Trying again.`);
  }
  if (isAway(health)) return down("ClickHouse away", "ClickHouse does not answer; `make up` starts it.");
  if (feed === "connecting") return { state: "connecting", word: "Connecting", text: "" };
  const is = (/** @type {string} */ status) => (health?.parts ?? []).find((/** @type {any} */ each) => each.status === status);
  const part = is("down") ?? is("starting");
  if (part) return warning(`${capital(part.part)} ${part.status}`, `${capital(part.part)}: ${part.message || part.status}.`);
  if (!symbols) return warning("No ticks yet", "");
  if (facts.silence > SILENT_MS) {
    return warning("No new ticks", "No tick has come for over 10 seconds. Is the producer running? `make produce` sends some.");
  }
  if (why) return warning("Live", why);
  // A job that is up has a message if records were lost.
  const lost = (health?.parts ?? []).find(
    (/** @type {any} */ each) => each.part.startsWith("job ") && each.status === "up" && each.message,
  );
  if (lost) return warning("Live", `${capital(lost.part)}: ${lost.message}`);
  return { state: "live", word: "Live", text: "" };
}

const isAway = (/** @type {any} */ health) => health?.clickhouse === "down";

const capital = (/** @type {string} */ text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {string} word @param {string} text @returns {Verdict} */
const down = (word, text) => ({ state: "down", word, text });
/** @param {string} word @param {string} text @returns {Verdict} */
const warning = (word, text) => ({ state: "warning", word, text });
