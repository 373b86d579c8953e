// @ts-check
// The strip on top: rate, delay and lag of the ticks, and the state of the pipeline.

import { address, json } from "../api.js";
import * as clock from "../clock.js";
import { find, makeElement, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";
import { createHops, totals } from "./hops.js";
import { status } from "./status.js";
import { createDelays, createRate } from "./meters.js";

/** @typedef {import("./status.js").Facts} Facts */

const HEALTH_MS = 5000;
const PIPELINE_MS = 2000;
// The error of the age that /health reports.
const AGE_ERROR_MS = 5;

/**
 * @param {ReturnType<typeof import("./market.js").createMarket>} market
 * @param {ReturnType<typeof import("../dead-letters/panel.js").createDeadLetters>} deadLetters
 */
export function createPipeline(market, deadLetters) {
  const rate = createRate();
  const delays = createDelays();
  /** @type {Facts} */
  const facts = { feed: "connecting", why: "", isOnline: navigator.onLine, health: null, symbols: 0, silence: 0 };
  /** @type {any[] | null} */
  let jobs = null;
  let isForbidden = false;
  let lastTickAt = 0;
  let liveSince = 0;
  let noticeText = "";
  const notice = find("#notice");
  const hopList = createHops(find("#strip .hops"));
  const meter = (/** @type {string} */ name) => find(`[data-meter=${name}] b`);
  const root = document.documentElement;

  async function fetchHealth() {
    const sent = Date.now();
    facts.health = await json(address("/health"), { allowed: [503] }).catch(() => null);
    const part = facts.health?.parts?.find((each) => each.newest && each.age_seconds != null);
    const server = part && Date.parse(part.newest) + 1000 * part.age_seconds;
    if (part) clock.observe(server - AGE_ERROR_MS, 2 * AGE_ERROR_MS, sent, Date.now());
    show();
  }
  async function fetchPipeline() {
    if (isForbidden) return;
    const answer = await json(address("/api/pipeline")).catch((error) => {
      // A key with restrictions is never allowed to read this.
      isForbidden = error.status === 403;
      return null;
    });
    jobs = answer?.data ?? null;
    show();
  }
  /** @param {() => Promise<void>} fetchIt @param {number} pause */
  function repeat(fetchIt, pause) {
    const again = async () => {
      if (!document.hidden) await fetchIt();
      setTimeout(again, pause);
    };
    again();
  }

  function show() {
    const now = performance.now();
    facts.symbols = market.size();
    facts.silence = lastTickAt || liveSince ? now - (lastTickAt || liveSince) : 0;
    const current = status(facts);
    root.dataset.state = current.state;
    setText(find("#state .word"), current.word);
    // Screen readers announce each write to the live region: write only changes.
    if (current.text !== noticeText) notice.replaceChildren(...withCode((noticeText = current.text)));
    notice.hidden = current.text === "";
    const isStale = facts.symbols > 0 && !["live", "connecting"].includes(current.state);
    setText(find("#state .age"), isStale ? `data ${format.duration(lastTickAt ? now - lastTickAt : clock.now() - market.newest())} old` : "");
    showMeters(now);
  }

  /** @param {number} now */
  function showMeters(now) {
    const { lag, unknown, checkpointMs, hops, ...counts } = totals(jobs);
    const delay = delays.quantiles(now);
    const perSecond = rate.perSecond(now);
    setText(meter("rate"), Number.isFinite(perSecond) ? format.number(perSecond, perSecond < 100 ? 1 : 0) : format.UNKNOWN);
    setText(meter("p50"), format.duration(delay?.p50));
    setText(meter("p99"), format.duration(delay?.p99));
    setText(meter("lag"), lag === null ? format.UNKNOWN : `${format.count(lag)}${unknown ? ` + ${format.UNKNOWN}` : ""}`);
    setText(meter("checkpoint"), format.duration(checkpointMs));
    hopList.show(hops);
    deadLetters.count(counts.deadLetters, counts.recentDeadLetters);
    setText(find("#ticks .late"), counts.late ? `${format.big(counts.late)} late` : "");
    const sees = "Stored, and in the candles; alerts may have missed them, for they came after ticks that are newer by more than ticks.lateness.";
    setAttribute(find("#ticks .late"), "title", `${format.count(counts.recentLate)} in the last minute. ${sees}`);
    const offset = clock.offset();
    const correction = offset ? ` This machine's clock is ${format.duration(Math.abs(offset))} ${offset > 0 ? "behind" : "ahead"}; the delay is corrected for it.` : "";
    setAttribute(find("[data-meter=p50]"), "title", `From the tick's timestamp until it is on the screen, over the last 30 s.${correction}`);
    if (delay) [root.dataset.delayP50, root.dataset.delayP99] = [String(Math.round(delay.p50)), String(Math.round(delay.p99))];
  }

  addEventListener("online", () => ((facts.isOnline = true), show()));
  addEventListener("offline", () => ((facts.isOnline = false), show()));
  document.addEventListener("visibilitychange", () => document.hidden || (fetchHealth(), fetchPipeline()));
  return {
    start() {
      repeat(fetchHealth, HEALTH_MS);
      repeat(fetchPipeline, PIPELINE_MS);
      setInterval(() => document.hidden || show(), 1000);
      show();
    },
    /** @param {Facts["feed"]} feed @param {string} why */
    setFeed(feed, why) {
      [facts.feed, facts.why] = [feed, why];
      if (feed === "live") liveSince ||= performance.now();
      show();
    },
    /** Count ticks that arrived. @param {number} count */
    received(count) {
      lastTickAt = performance.now();
      rate.add(count, lastTickAt);
    },
    /** Note that a tick with this timestamp is on the screen now. @param {number} time */
    painted: (time) => delays.add(clock.now() - time, performance.now()),
  };
}

/** The nodes of a text in which backticks enclose commands. @param {string} text */
const withCode = (text) => text.split("`").map((part, at) => (at % 2 ? makeElement("code", {}, part) : part));
