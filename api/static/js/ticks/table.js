// @ts-check
// The table of the newest ticks: live, filtered, and frozen while somebody reads it.

import { rows as fetchRows } from "../api.js";
import { find, setAttribute, setText } from "../dom.js";
import { everyMs } from "../frames.js";
import * as format from "../format.js";
import { byTime } from "../live/market.js";
import { createRingBuffer } from "./ring-buffer.js";
import { createFilter } from "./filter.js";
import { createRows } from "./rows.js";

/** @typedef {import("../types.js").Tick} Tick */

const CAPACITY = 200;
const MAX_REQUESTED = 100;
// Nobody reads faster than this.
const PAINT_MS = 100;

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 * @param {(symbol: string, isAdded: boolean) => void} select
 */
export function createTicks(market, view, frames, select) {
  const scroller = find("#ticks .scroller");
  const input = /** @type {HTMLInputElement} */ (find("#filter"));
  const button = find("#pause");
  const pausedLabel = find("#ticks .paused");
  const empty = find("#ticks .empty");
  /** @type {ReturnType<typeof createRingBuffer<Tick>>} */
  const buffer = createRingBuffer(CAPACITY);
  /** @type {Tick[] | null} the ticks at the moment of the pause */
  let frozen = null;
  let missed = 0;
  let isPinned = false;
  let isHovered = false;
  let isDirty = false;
  let passes = createFilter(view.get().filter);
  let loading = new AbortController();
  /** @type {Set<string>} ticks of the API's answer, which the stream may still deliver */
  let loadedIds = new Set();
  const isDue = everyMs(PAINT_MS);
  const table = createRows(scroller, () => invalidate());

  const invalidate = () => {
    isDirty = true;
    frames.request();
  };

  /** Load the ticks from before the page was opened. */
  async function load() {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    const all = market.symbols();
    const symbols = all.filter(passes);
    if (!symbols.length) {
      buffer.clear();
      return invalidate();
    }
    // If the filter matches more symbols than a request may name, load all and filter here.
    const params = { symbols: symbols.length < all.length && symbols.length <= MAX_REQUESTED ? symbols : undefined, limit: CAPACITY };
    const rows = await fetchRows("recent", params, signal).catch(() => []);
    if (signal.aborted) return;
    fill(rows.filter((row) => passes(row.symbol)));
  }

  /** Merge rows of the API with the ticks received so far. @param {any[]} rows */
  function fill(rows) {
    // Oldest first: the sort is stable, so ticks of the same time keep their order.
    const all = new Map(rows.reverse().map((row) => [id(row), row]));
    loadedIds = new Set(all.keys());
    for (let at = 0; at < buffer.size(); at++) all.set(id(buffer.at(at)), buffer.at(at));
    const sorted = [...all.values()].sort(byTime);
    /** @type {Map<string, number>} */
    const before = new Map();
    buffer.clear();
    for (const row of sorted) {
      const move = row.move ?? Math.sign(row.price - (before.get(row.symbol) ?? row.price));
      before.set(row.symbol, row.price);
      buffer.push({ ...row, time: Date.parse(row.timestamp), move });
    }
    invalidate();
  }
  const id = (/** @type {any} */ row) => `${row.symbol} ${row.kafka_partition} ${row.kafka_offset}`;

  /** Freeze the table while it is hovered, scrolled or paused by the button. */
  function updateFrozen() {
    const isFrozen = isPinned || isHovered || scroller.scrollTop > 0;
    if (isFrozen && !frozen) frozen = Array.from({ length: buffer.size() }, (_, at) => buffer.at(at));
    if (!isFrozen) [frozen, missed] = [null, 0];
    setAttribute(button, "aria-pressed", String(isPinned));
    invalidate();
  }

  frames.add((now) => {
    if (!isDirty) return;
    if (!isDue(now)) return frames.request();
    isDirty = false;
    const shown = frozen;
    const count = shown ? shown.length : buffer.size();
    table.paint(count, shown ? (index) => shown[index] : buffer.at);
    setText(pausedLabel, `paused, ${format.count(missed)} new`);
    pausedLabel.hidden = !frozen;
    empty.hidden = count > 0;
    const { filter } = view.get();
    if (!count) setText(empty, filter && market.size() ? `No symbol has “${filter.trim()}” in its name.` : "No ticks yet.");
  });
  scroller.addEventListener("pointerenter", (event) => {
    if (event.pointerType !== "mouse") return;
    isHovered = true;
    updateFrozen();
  });
  scroller.addEventListener("pointerleave", () => ((isHovered = false), updateFrozen()));
  scroller.addEventListener("scroll", updateFrozen, { passive: true });
  // For the mouse only: the keyboard selects among the cards.
  scroller.addEventListener("click", (event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest("tr");
    if (row?.dataset.symbol && getSelection()?.isCollapsed) {
      select(row.dataset.symbol, event.ctrlKey || event.shiftKey || event.metaKey);
    }
  });
  const toggle = () => {
    isPinned = !isPinned;
    if (!isPinned) scroller.scrollTop = 0;
    updateFrozen();
  };
  button.addEventListener("click", toggle);
  input.value = view.get().filter;
  input.addEventListener("input", () => view.set({ filter: input.value }));
  view.subscribe((now, before) => {
    if (now.filter === before.filter) return;
    passes = createFilter(now.filter);
    buffer.clear();
    [frozen, missed] = [null, 0];
    updateFrozen();
    load();
  });
  return {
    load,
    toggle,
    /** @param {Tick} tick */
    add(tick) {
      if (!passes(tick.symbol) || loadedIds.has(id(tick))) return;
      buffer.push(tick);
      if (frozen) missed++;
      isDirty = true;
    },
  };
}
