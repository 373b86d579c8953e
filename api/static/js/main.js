// @ts-check
// Creates the parts of the page, and hands each tick of the stream to those that show it.

import { createAlerts } from "./alerts/alerts.js";
import { createAlertsPanel } from "./alerts/panel.js";
import { rows as fetchRows } from "./api.js";
import { createCards } from "./cards/cards.js";
import { createChartPanel } from "./chart/panel.js";
import { createSelection } from "./chart/selection.js";
import { createStats } from "./chart/stats.js";
import { createChoices } from "./choices.js";
import { createDeadLetters } from "./dead-letters/panel.js";
import { find } from "./dom.js";
import { first } from "./first.js";
import { createFrames } from "./frames.js";
import { createFeed } from "./live/feed.js";
import { byTime, createMarket } from "./live/market.js";
import { createPipeline } from "./live/pipeline.js";
import { createShortcuts } from "./shortcuts.js";
import { createTicks } from "./ticks/table.js";
import { createView, MAX_SYMBOLS } from "./view.js";

const RETRY_MS = 2000;
// How often to load the ticks that the stream left out, and the low and high of their symbols.
const REFRESH_MS = 10_000;
const MAX_SAMPLES = 256;
const HOUR_MS = 3_600_000;

const view = createView();
const frames = createFrames();
const market = createMarket();
const selection = createSelection(market, view, frames);
const cards = createCards(market, view, frames, select);
const alerts = createAlerts(() => (chart.invalidate(), countAlerts()));
const alertsPanel = createAlertsPanel((symbol) => select(symbol, false));
const chart = createChartPanel(market, view, frames, alerts);
const ticks = createTicks(market, view, frames, select);
const stats = createStats(market, view);
const feed = createFeed({
  rows: receive, alerts: alerts.add, state: (state, why) => pipeline.setFeed(state, why), lost: reload,
});
const deadLetters = createDeadLetters();
const pipeline = createPipeline(market, deadLetters);
/** @type {number[]} timestamps of ticks that the next frame shows */
let unpainted = [];
// Whether the stream left out ticks.
let hasGap = false;
// Until all symbols are loaded, an unknown one in the address may still exist.
let isLoaded = false;

/** @param {import("./types.js").Row[]} rows @param {boolean} isComplete */
function receive(rows, isComplete) {
  const known = market.size();
  /** @type {Set<string>} */
  const symbols = new Set();
  if (!isComplete) chart.noteGap();
  // The stream sends them by partition.
  rows.sort(byTime);
  for (const row of rows) {
    const tick = market.apply(row);
    symbols.add(tick.symbol);
    ticks.add(tick);
    chart.add(tick);
    if (unpainted.length < MAX_SAMPLES && !document.hidden) unpainted.push(tick.time);
  }
  pipeline.received(rows.length);
  if (!isComplete) {
    // These are the newest of each symbol: ticks between them are missing.
    chart.noteGap();
    hasGap = true;
  }
  if (isLoaded && market.size() > known) isBare() ? load() : showSymbols();
  cards.update(symbols);
}

/** Whether nothing is shown yet. */
const isBare = () => document.body.classList.contains("bare");

/** Show symbols that the page has not shown yet. */
function showSymbols() {
  const isFirst = isBare();
  document.body.classList.remove("bare", "empty");
  cards.sync();
  const { symbols } = view.get();
  const known = [...new Set(symbols.map(market.named))].filter((each) => each !== undefined);
  const isKnown = known.length > 0 && String(known) === String(symbols);
  // On a change of the view each part loads its data.
  if (!isKnown) view.set({ symbols: known.length ? known : market.symbols().slice(0, 1) });
  if (!isFirst) return;
  if (isKnown) for (const load of [selection.sync, chart.load, stats.load]) load();
  ticks.load();
}

/** @param {string} symbol @param {boolean} isAdded */
function select(symbol, isAdded) {
  const { symbols } = view.get();
  if (!isAdded) return view.set({ symbols: [symbol] });
  const others = symbols.filter((each) => each !== symbol);
  if (others.length === symbols.length) others.push(symbol);
  view.set({ symbols: others.length ? others.slice(-MAX_SYMBOLS) : [symbol] });
}

/** Load the newest prices, again and again until there are any. @returns {Promise<void>} */
async function load() {
  const prices = (isLoaded ? null : await first) ?? (await fetchRows("latest").catch(() => null));
  isLoaded ||= prices !== null;
  if (!prices?.length) {
    document.body.classList.toggle("empty", prices !== null && !market.size());
    find("#cards ul").removeAttribute("aria-busy");
    setTimeout(() => isBare() && load(), RETRY_MS);
    return;
  }
  market.load(prices);
  showSymbols();
  loadAlerts();
  cards.update(market.symbols());
  // After the frame that paints them.
  requestAnimationFrame(() => setTimeout(() => performance.mark("first-price")));
}

/** Show how many alerts there were in the hour before the newest tick. */
const countAlerts = () => alertsPanel.count(alerts.count(market.newest() - HOUR_MS), alerts.size());

/** Load everything again, after a gap. */
async function reload() {
  loadAlerts();
  chart.noteGap();
  cards.reloadSparklines();
  await refresh();
  chart.load();
  ticks.load();
  stats.load();
}

const loadAlerts = () => alerts.load([], market.newest() - HOUR_MS);

async function refresh() {
  hasGap = false;
  market.load(await fetchRows("latest").catch(() => []));
  cards.update(market.symbols());
}

frames.after(() => {
  for (const time of unpainted) pipeline.painted(time);
  unpainted = [];
});
document.addEventListener("visibilitychange", () => (unpainted = []));
setInterval(() => hasGap && !document.hidden && refresh().then(ticks.load), REFRESH_MS);
createChoices(view);
// Alerts leave the hour.
setInterval(() => document.hidden || countAlerts(), REFRESH_MS);
createShortcuts(view, { pause: ticks.toggle, alerts: alertsPanel.open, deadLetters: deadLetters.open });
const search = /** @type {HTMLInputElement} */ (find("#find"));
search.value = view.get().find;
search.addEventListener("input", () => view.set({ find: search.value }));
feed.start();
pipeline.start();
load();
