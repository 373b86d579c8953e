// @ts-check
// The rows of the table that are on screen, and spacers for those that are not.

import { cloneTemplate, find, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";

/** @typedef {import("../types.js").Tick} Tick */

/** @param {HTMLElement} scroller @param {() => void} resized */
export function createRows(scroller, resized) {
  const body = find("tbody", scroller);
  const above = find(".above", body);
  const below = find(".below", body);
  /** @type {{row: HTMLElement, cells: HTMLElement[], tick: Tick | null}[]} */
  const pool = [];
  let height = 24;
  let visible = 0;

  /** @param {HTMLElement} row */
  const entry = (row) => ({
    row, tick: null, cells: ["time", ".symbol", ".move", ".price", ".volume"].map((name) => find(name, row)),
  });

  function measure() {
    if (!pool.length) grow(1);
    height = pool[0].row.offsetHeight || height;
    visible = Math.ceil(scroller.clientHeight / height) + 1;
    grow(visible);
    resized();
  }
  /** @param {number} count */
  function grow(count) {
    while (pool.length < count) {
      const row = cloneTemplate("tick");
      body.insertBefore(row, below);
      pool.push(entry(row));
    }
    while (pool.length > count) pool.pop()?.row.remove();
  }

  /** @param {{row: HTMLElement, cells: HTMLElement[], tick: Tick | null}} entry @param {Tick} tick @param {number} index */
  function write(entry, tick, index) {
    setAttribute(entry.row, "aria-rowindex", String(index + 2));
    if (entry.tick === tick) return;
    entry.tick = tick;
    const [time, symbol, move, price, volume] = entry.cells;
    setAttribute(entry.row, "data-symbol", tick.symbol);
    setAttribute(entry.row, "data-direction", format.direction(tick.move));
    setAttribute(time, "datetime", tick.timestamp);
    setAttribute(time, "title", format.utc(tick.timestamp));
    setText(time, format.preciseClock(tick.time));
    setText(symbol, tick.symbol);
    setText(move, format.arrow(tick.move));
    setText(price, format.price(tick.price));
    setText(volume, format.count(tick.volume));
  }

  new ResizeObserver(measure).observe(scroller);
  return {
    /** Show the ticks that are on screen, the newest first. @param {number} count @param {(index: number) => Tick} at */
    paint(count, at) {
      const first = Math.max(0, Math.min(Math.floor(scroller.scrollTop / height), count - visible));
      pool.forEach((entry, offset) => {
        const index = first + offset;
        entry.row.hidden = index >= count;
        if (index < count) write(entry, at(index), index);
      });
      above.style.height = `${first * height}px`;
      below.style.height = `${Math.max(0, count - first - pool.length) * height}px`;
    },
  };
}
