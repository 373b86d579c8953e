// @ts-check
// The card of one symbol: its elements, and how they show a quote.

import { cloneTemplate, find, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";
import { paths } from "./svg-path.js";

const FLASH_MS = 500;
const FLASH_PAUSE_MS = 400;
const SPARKLINE_MS = 1000;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {ReturnType<typeof createCard>} Card */

/** @param {string} symbol */
export function createCard(symbol) {
  const element = cloneTemplate("card");
  element.dataset.symbol = symbol;
  const part = (/** @type {string} */ name) => find(`.${name}`, element);
  const [button, price, change, percent, low, high, range] = [
    "select", "price", "change", "percent", "low", "high", "range",
  ].map(part);
  const add = part("add");
  const [line, level] = element.querySelectorAll("path");
  setText(part("symbol"), symbol);
  setAttribute(add, "aria-label", `Compare ${symbol}`);
  let moves = -1;
  let flashedAt = 0;
  let drawnAt = -Infinity;

  /** @param {import("../types.js").Quote} quote @param {number} now */
  function flash(quote, now) {
    const isNew = moves >= 0 && quote.moves !== moves && quote.move;
    moves = quote.moves;
    if (!isNew) return;
    setAttribute(price, "data-move", quote.move > 0 ? "up" : "down");
    if (reducedMotion.matches || now - flashedAt < FLASH_PAUSE_MS) return;
    flashedAt = now;
    // Only the opacity of a pseudo-element changes: the compositor does it without a repaint.
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
      setText(price, format.price(quote.price));
      setText(change, format.change(moved, quote.price));
      setText(percent, format.percent((100 * moved) / quote.open));
      setAttribute(element, "data-direction", format.direction(moved));
      setText(low, format.price(quote.low));
      setText(high, format.price(quote.high));
      const share = (quote.price - quote.low) / (quote.high - quote.low);
      range.style.setProperty("--at", Number.isFinite(share) ? share.toFixed(3) : "0.5");
      flash(quote, now);
    },
    /** @param {import("./sparkline.js").Sparkline | undefined} sparkline @param {number} open @param {number} now */
    drawSparkline(sparkline, open, now) {
      if (!sparkline || now - drawnAt < SPARKLINE_MS) return;
      drawnAt = now;
      const drawn = paths(sparkline.times, sparkline.prices, open);
      setAttribute(line, "d", drawn.line);
      setAttribute(level, "d", drawn.level);
    },
    /** @param {boolean} isSelected @param {boolean} isFirst */
    select(isSelected, isFirst) {
      setAttribute(button, "aria-pressed", String(isSelected));
      setAttribute(add, "aria-pressed", String(isSelected));
      element.classList.toggle("first", isFirst);
    },
    /** Whether Tab stops here. @param {boolean} isStop */
    stop(isStop) {
      button.tabIndex = add.tabIndex = isStop ? 0 : -1;
    },
    redrawSparkline: () => void (drawnAt = -Infinity),
  };
}
