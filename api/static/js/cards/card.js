// @ts-check
// One symbol's card: its nodes, and how a quote is written into them.

import { copy, find, mark, say } from "../dom.js";
import * as format from "../format.js";
import { paths } from "./svg-path.js";

const FLASH_MS = 500;
const MOST_FLASHES = 400;
const SPARK_MS = 1000;
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {ReturnType<typeof createCard>} Card */

/** @param {string} symbol */
export function createCard(symbol) {
  const element = copy("card");
  element.dataset.symbol = symbol;
  const part = (/** @type {string} */ name) => find(`.${name}`, element);
  const [button, price, change, percent, low, high, range] = [
    "choose", "price", "change", "percent", "low", "high", "range",
  ].map(part);
  const add = part("add");
  const [line, level] = element.querySelectorAll("path");
  say(part("symbol"), symbol);
  mark(add, "aria-label", `Compare ${symbol}`);
  let moves = -1;
  let flashed = 0;
  let sparked = -Infinity;

  /** @param {import("../types.js").Quote} quote @param {number} now */
  function flash(quote, now) {
    const isNew = moves >= 0 && quote.moves !== moves && quote.move;
    moves = quote.moves;
    if (!isNew) return;
    mark(price, "data-move", quote.move > 0 ? "up" : "down");
    if (stillness.matches || now - flashed < MOST_FLASHES) return;
    flashed = now;
    // Opacity of something of its own: the compositor does it, nothing is painted anew.
    price.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FLASH_MS, pseudoElement: "::after" });
  }

  return {
    element,
    button,
    add,
    isStale: true,
    /** @param {import("../types.js").Quote} quote @param {number} now */
    paint(quote, now) {
      const moved = quote.price - quote.open;
      say(price, format.price(quote.price));
      say(change, format.change(moved, quote.price));
      say(percent, format.percent((100 * moved) / quote.open));
      mark(element, "data-direction", format.direction(moved));
      say(low, format.price(quote.low));
      say(high, format.price(quote.high));
      const share = (quote.price - quote.low) / (quote.high - quote.low);
      range.style.setProperty("--at", Number.isFinite(share) ? share.toFixed(3) : "0.5");
      flash(quote, now);
    },
    /** @param {import("./sparkline.js").Trail | undefined} trail @param {number} open @param {number} now */
    spark(trail, open, now) {
      if (!trail || now - sparked < SPARK_MS) return;
      sparked = now;
      const found = paths(trail.times, trail.prices, open);
      mark(line, "d", found.line);
      mark(level, "d", found.level);
    },
    /** @param {boolean} isChosen @param {boolean} isFirst */
    choose(isChosen, isFirst) {
      mark(button, "aria-pressed", String(isChosen));
      mark(add, "aria-pressed", String(isChosen));
      element.classList.toggle("first", isFirst);
    },
    /** In the order of Tab or not. @param {boolean} isStop */
    stop(isStop) {
      button.tabIndex = add.tabIndex = isStop ? 0 : -1;
    },
    sparkAgain: () => void (sparked = -Infinity),
  };
}
