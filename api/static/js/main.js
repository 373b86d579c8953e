// @ts-check
// Puts the parts together: ticks come in at one end, and each part takes what it shows.

import { rows as ask } from "./api.js";
import { createCards } from "./cards/cards.js";
import { createChartPanel } from "./chart/panel.js";
import { createChoices } from "./choices.js";
import { createChosen } from "./chart/selection.js";
import { find } from "./dom.js";
import { createFeed } from "./live/feed.js";
import { first } from "./first.js";
import { createFrames } from "./frames.js";
import { byTime, createMarket } from "./live/market.js";
import { createPipeline } from "./live/pipeline.js";
import { createShortcuts } from "./shortcuts.js";
import { createStats } from "./chart/stats.js";
import { createTicks } from "./ticks/table.js";
import { createView, MOST_SYMBOLS } from "./view.js";

const AGAIN_MS = 2000;
// The day's low and high of symbols whose ticks were left out, and these ticks.
const REFRESH_MS = 10_000;
const MOST_SAMPLES = 256;

const view = createView();
const frames = createFrames();
const market = createMarket();
const chosen = createChosen(market, view, frames);
const cards = createCards(market, view, frames, choose);
const chart = createChartPanel(market, view, frames);
const ticks = createTicks(market, view, frames, choose);
const stats = createStats(market, view);
const feed = createFeed({ rows: take, state: (state, why) => pipeline.setFeed(state, why), lost: reload });
const pipeline = createPipeline(market);
/** @type {number[]} times of ticks that the next frame shows */
let unpainted = [];
// Whether ticks were left out of the stream.
let isShort = false;
// Until all symbols are known, nothing tells a wrong one in the address from one that did not trade yet.
let isLoaded = false;

/** @param {import("./types.js").Row[]} rows @param {boolean} isWhole */
function take(rows, isWhole) {
  const known = market.size();
  /** @type {Set<string>} */
  const symbols = new Set();
  if (!isWhole) chart.break();
  // They come in the order of their partitions.
  rows.sort(byTime);
  for (const row of rows) {
    const tick = market.apply(row);
    symbols.add(tick.symbol);
    ticks.take(tick);
    chart.take(tick);
    if (unpainted.length < MOST_SAMPLES && !document.hidden) unpainted.push(tick.time);
  }
  pipeline.came(rows.length);
  if (!isWhole) {
    // These are the newest of each symbol: between them others are missing.
    chart.break();
    isShort = true;
  }
  if (isLoaded && market.size() > known) isBare() ? load() : arrive();
  cards.touch(symbols);
}

/** Whether nothing is shown yet. */
const isBare = () => document.body.classList.contains("bare");

/** Symbols are there that were not. */
function arrive() {
  const isFirst = isBare();
  document.body.classList.remove("bare", "empty");
  cards.sync();
  const { symbols } = view.get();
  const real = [...new Set(symbols.map(market.named))].filter((each) => each !== undefined);
  const isRight = real.length > 0 && String(real) === String(symbols);
  // A change of the view makes each part load what it shows.
  if (!isRight) view.set({ symbols: real.length ? real : market.symbols().slice(0, 1) });
  if (!isFirst) return;
  if (isRight) for (const load of [chosen.sync, chart.load, stats.load]) load();
  ticks.load();
}

/** @param {string} symbol @param {boolean} isAdded */
function choose(symbol, isAdded) {
  const { symbols } = view.get();
  if (!isAdded) return view.set({ symbols: [symbol] });
  const others = symbols.filter((each) => each !== symbol);
  if (others.length === symbols.length) others.push(symbol);
  view.set({ symbols: others.length ? others.slice(-MOST_SYMBOLS) : [symbol] });
}

/** Read what there is; again until there is something. @returns {Promise<void>} */
async function load() {
  const found = (isLoaded ? null : await first) ?? (await ask("latest").catch(() => null));
  isLoaded ||= found !== null;
  if (!found?.length) {
    document.body.classList.toggle("empty", found !== null && !market.size());
    find("#cards ul").removeAttribute("aria-busy");
    setTimeout(() => isBare() && load(), AGAIN_MS);
    return;
  }
  market.load(found);
  arrive();
  cards.touch(market.symbols());
  // Behind the frame that paints them.
  requestAnimationFrame(() => setTimeout(() => performance.mark("first-price")));
}

/** After a gap: everything anew. */
async function reload() {
  chart.break();
  cards.forget();
  await refresh();
  chart.load();
  ticks.load();
  stats.load();
}

async function refresh() {
  isShort = false;
  market.load(await ask("latest").catch(() => []));
  cards.touch(market.symbols());
}

frames.after(() => {
  for (const time of unpainted) pipeline.painted(time);
  unpainted = [];
});
document.addEventListener("visibilitychange", () => (unpainted = []));
setInterval(() => isShort && !document.hidden && refresh().then(ticks.load), REFRESH_MS);
createChoices(view);
createShortcuts(view, { pause: ticks.toggle });
const search = /** @type {HTMLInputElement} */ (find("#find"));
search.value = view.get().find;
search.addEventListener("input", () => view.set({ find: search.value }));
feed.start();
pipeline.start();
load();
