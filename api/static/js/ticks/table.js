// @ts-check
// The table of the newest ticks: live, filtered, and still while someone reads it.

import { rows as ask } from "../api.js";
import { find, mark, say } from "../dom.js";
import { everyMs } from "../frames.js";
import * as format from "../format.js";
import { byTime } from "../live/market.js";
import { createRing } from "./ring-buffer.js";
import { createFilter } from "./filter.js";
import { createRows } from "./rows.js";

/** @typedef {import("../types.js").Tick} Tick */

const KEPT = 200;
const MOST_ASKED = 100;
// Faster than this nobody reads.
const PAINT_MS = 100;

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 * @param {(symbol: string, isAdded: boolean) => void} choose
 */
export function createTicks(market, view, frames, choose) {
  const scroller = find("#ticks .scroller");
  const input = /** @type {HTMLInputElement} */ (find("#filter"));
  const button = find("#pause");
  const said = find("#ticks .paused");
  const empty = find("#ticks .empty");
  /** @type {ReturnType<typeof createRing<Tick>>} */
  const ring = createRing(KEPT);
  /** @type {Tick[] | null} what was there when it was paused */
  let still = null;
  let missed = 0;
  let isPinned = false;
  let isHovered = false;
  let isDirty = false;
  let passes = createFilter(view.get().filter);
  let loading = new AbortController();
  /** @type {Set<string>} places that the API's answer had: the stream may bring them yet */
  let loaded = new Set();
  const isDue = everyMs(PAINT_MS);
  const table = createRows(scroller, () => dirty());

  const dirty = () => {
    isDirty = true;
    frames.request();
  };

  /** Load what came before. */
  async function load() {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    const all = market.symbols();
    const symbols = all.filter(passes);
    if (!symbols.length) {
      ring.clear();
      return dirty();
    }
    // More names than one may ask for are nearly all: then those of others are left out here.
    const params = { symbols: symbols.length < all.length && symbols.length <= MOST_ASKED ? symbols : undefined, limit: KEPT };
    const found = await ask("recent", params, signal).catch(() => []);
    if (signal.aborted) return;
    fill(found.filter((row) => passes(row.symbol)));
  }

  /** Put what the API has under and between what came. @param {any[]} found */
  function fill(found) {
    // Oldest first, so that ticks of one moment keep their order in the sort, which is stable.
    const all = new Map(found.reverse().map((row) => [place(row), row]));
    loaded = new Set(all.keys());
    for (let at = 0; at < ring.size(); at++) all.set(place(ring.at(at)), ring.at(at));
    const sorted = [...all.values()].sort(byTime);
    /** @type {Map<string, number>} */
    const before = new Map();
    ring.clear();
    for (const row of sorted) {
      const move = row.move ?? Math.sign(row.price - (before.get(row.symbol) ?? row.price));
      before.set(row.symbol, row.price);
      ring.push({ ...row, time: Date.parse(row.timestamp), move });
    }
    dirty();
  }
  const place = (/** @type {any} */ row) => `${row.symbol} ${row.kafka_partition} ${row.kafka_offset}`;

  /** Stand still or go on, as hovering, scrolling and the button want it. */
  function settle() {
    const isStill = isPinned || isHovered || scroller.scrollTop > 0;
    if (isStill && !still) still = Array.from({ length: ring.size() }, (_, at) => ring.at(at));
    if (!isStill) [still, missed] = [null, 0];
    mark(button, "aria-pressed", String(isPinned));
    dirty();
  }

  frames.add((now) => {
    if (!isDirty) return;
    if (!isDue(now)) return frames.request();
    isDirty = false;
    const frozen = still;
    const count = frozen ? frozen.length : ring.size();
    table.paint(count, frozen ? (index) => frozen[index] : ring.at);
    say(said, `paused, ${format.count(missed)} new`);
    said.hidden = !still;
    empty.hidden = count > 0;
    const { filter } = view.get();
    if (!count) say(empty, filter && market.size() ? `No symbol has “${filter.trim()}” in its name.` : "No ticks yet.");
  });
  scroller.addEventListener("pointerenter", (event) => {
    if (event.pointerType !== "mouse") return;
    isHovered = true;
    settle();
  });
  scroller.addEventListener("pointerleave", () => ((isHovered = false), settle()));
  scroller.addEventListener("scroll", settle, { passive: true });
  // For the mouse only: with keys one chooses among the cards.
  scroller.addEventListener("click", (event) => {
    const row = /** @type {HTMLElement} */ (event.target).closest("tr");
    if (row?.dataset.symbol && getSelection()?.isCollapsed) {
      choose(row.dataset.symbol, event.ctrlKey || event.shiftKey || event.metaKey);
    }
  });
  const toggle = () => {
    isPinned = !isPinned;
    if (!isPinned) scroller.scrollTop = 0;
    settle();
  };
  button.addEventListener("click", toggle);
  input.value = view.get().filter;
  input.addEventListener("input", () => view.set({ filter: input.value }));
  view.subscribe((now, before) => {
    if (now.filter === before.filter) return;
    passes = createFilter(now.filter);
    ring.clear();
    [still, missed] = [null, 0];
    settle();
    load();
  });
  return {
    load,
    toggle,
    /** @param {Tick} tick */
    take(tick) {
      if (!passes(tick.symbol) || loaded.has(place(tick))) return;
      ring.push(tick);
      if (still) missed++;
      isDirty = true;
    },
  };
}
