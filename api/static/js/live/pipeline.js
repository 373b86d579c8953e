// @ts-check
// The strip on top: how fast and how late ticks come, and what is wrong.

import { address, json } from "../api.js";
import * as clock from "../clock.js";
import { find, make, mark, say } from "../dom.js";
import * as format from "../format.js";
import { createHops, totals } from "./hops.js";
import { judge } from "./status.js";
import { createDelays, createRate } from "./meters.js";

/** @typedef {import("./status.js").Facts} Facts */

const HEALTH_MS = 5000;
const PIPELINE_MS = 2000;
// How exact the age of the newest tick is.
const DOUBT_MS = 5;

/** @param {ReturnType<typeof import("./market.js").createMarket>} market */
export function createPipeline(market) {
  const rate = createRate();
  const delays = createDelays();
  /** @type {Facts} */
  const facts = { feed: "connecting", why: "", isOnline: navigator.onLine, health: null, symbols: 0, silence: 0 };
  /** @type {any[] | null} */
  let jobs = null;
  let isRefused = false;
  let ticked = 0;
  let lived = 0;
  let told = "";
  const notice = find("#notice");
  const way = createHops(find("#strip .hops"));
  const meter = (/** @type {string} */ name) => find(`[data-meter=${name}] b`);
  const root = document.documentElement;

  async function askHealth() {
    const sent = Date.now();
    facts.health = await json(address("/health"), { allowed: [503] }).catch(() => null);
    const part = facts.health?.parts?.find((each) => each.newest && each.age_seconds != null);
    const server = part && Date.parse(part.newest) + 1000 * part.age_seconds;
    if (part) clock.observe(server - DOUBT_MS, 2 * DOUBT_MS, sent, Date.now());
    show();
  }
  async function askPipeline() {
    if (isRefused) return;
    const found = await json(address("/api/pipeline")).catch((error) => {
      // A key that may see some symbols only will not be let in later.
      isRefused = error.status === 403;
      return null;
    });
    jobs = found?.data ?? null;
    show();
  }
  /** @param {() => Promise<void>} ask @param {number} pause */
  function repeat(ask, pause) {
    const again = async () => {
      if (!document.hidden) await ask();
      setTimeout(again, pause);
    };
    again();
  }

  function show() {
    const now = performance.now();
    facts.symbols = market.size();
    facts.silence = ticked || lived ? now - (ticked || lived) : 0;
    const verdict = judge(facts);
    root.dataset.state = verdict.state;
    say(find("#state .word"), verdict.word);
    // Only what has changed is spoken: the region must not be written to again.
    if (verdict.text !== told) notice.replaceChildren(...withCode((told = verdict.text)));
    notice.hidden = verdict.text === "";
    const isOld = facts.symbols > 0 && !["live", "connecting"].includes(verdict.state);
    say(find("#state .age"), isOld ? `data ${format.span(ticked ? now - ticked : clock.now() - market.newest())} old` : "");
    numbers(now);
  }

  /** @param {number} now */
  function numbers(now) {
    const { lag, unknown, checkpointMs, hops } = totals(jobs);
    const found = delays.quantiles(now);
    const perSecond = rate.perSecond(now);
    say(meter("rate"), Number.isFinite(perSecond) ? format.number(perSecond, perSecond < 100 ? 1 : 0) : format.UNKNOWN);
    say(meter("p50"), format.span(found?.p50));
    say(meter("p99"), format.span(found?.p99));
    say(meter("lag"), lag === null ? format.UNKNOWN : `${format.count(lag)}${unknown ? ` + ${format.UNKNOWN}` : ""}`);
    say(meter("checkpoint"), format.span(checkpointMs));
    way.show(hops);
    const off = clock.offset();
    const correction = off ? ` This machine's clock is ${format.span(Math.abs(off))} ${off > 0 ? "behind" : "ahead"}; that is taken out.` : "";
    mark(find("[data-meter=p50]"), "title", `From the tick's timestamp until it is on this screen, over the last 30 s.${correction}`);
    if (found) [root.dataset.delayP50, root.dataset.delayP99] = [String(Math.round(found.p50)), String(Math.round(found.p99))];
  }

  addEventListener("online", () => ((facts.isOnline = true), show()));
  addEventListener("offline", () => ((facts.isOnline = false), show()));
  document.addEventListener("visibilitychange", () => document.hidden || (askHealth(), askPipeline()));
  return {
    start() {
      repeat(askHealth, HEALTH_MS);
      repeat(askPipeline, PIPELINE_MS);
      setInterval(() => document.hidden || show(), 1000);
      show();
    },
    /** @param {Facts["feed"]} feed @param {string} why */
    setFeed(feed, why) {
      [facts.feed, facts.why] = [feed, why];
      if (feed === "live") lived ||= performance.now();
      show();
    },
    /** So many ticks came. @param {number} count */
    came(count) {
      ticked = performance.now();
      rate.add(count, ticked);
    },
    /** A tick that happened then is on the screen now. @param {number} time */
    painted: (time) => delays.add(clock.now() - time, performance.now()),
  };
}

/** What stands between backticks is what one types. @param {string} text */
const withCode = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
