// @ts-check
// The cards of all symbols; only those on screen are updated.

import { createCard } from "./card.js";
import { find, setText } from "../dom.js";
import { createRoving } from "./roving.js";
import { createSparklines } from "./sparkline.js";

const SORT_MS = 3000;

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 * @param {(symbol: string, isAdded: boolean) => void} select
 */
export function createCards(market, view, frames, select) {
  const list = find("#cards ul");
  /** @type {Map<string, import("./card.js").Card>} */
  const cards = new Map();
  /** @type {Set<string>} */
  const visible = new Set();
  const sparklines = createSparklines(market, (symbols) => {
    for (const symbol of symbols) cards.get(symbol)?.redrawSparkline();
    update(symbols);
  });
  const roving = createRoving(list, () => shown().map((symbol) => cards.get(symbol)));
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const symbol = /** @type {HTMLElement} */ (target).dataset.symbol ?? "";
        if (isIntersecting) visible.add(symbol);
        else visible.delete(symbol);
      }
      frames.request();
    },
    { root: null, rootMargin: "100px" },
  );

  /** @param {string} symbol */
  const change = (symbol) => {
    const { price = NaN, open = NaN } = market.get(symbol) ?? {};
    return Number.isFinite(price / open) ? price / open : -Infinity;
  };
  const sorted = () => {
    const symbols = market.symbols();
    return view.get().sort === "change" ? symbols.sort((a, b) => change(b) - change(a)) : symbols;
  };
  const matches = (/** @type {string} */ symbol) => symbol.toUpperCase().includes(view.get().find.trim().toUpperCase());
  const shown = () =>
    [...list.children].map((element) => /** @type {HTMLElement} */ (element).dataset.symbol ?? "").filter((symbol) => symbol && matches(symbol));

  /** Add the cards of new symbols. */
  function sync() {
    if (cards.size === market.size()) return;
    if (!cards.size) list.replaceChildren();
    for (const symbol of market.symbols()) {
      if (cards.has(symbol)) continue;
      const card = createCard(symbol);
      cards.set(symbol, card);
      card.button.addEventListener("click", (event) => select(symbol, event.ctrlKey || event.shiftKey || event.metaKey));
      card.add.addEventListener("click", () => select(symbol, true));
      card.element.hidden = !matches(symbol);
      watcher.observe(card.element);
    }
    sort();
    list.removeAttribute("aria-busy");
    markSelected();
  }

  /** Put the cards in the order of the view. */
  function sort() {
    sorted().forEach((symbol, at) => {
      const element = cards.get(symbol)?.element;
      if (element && list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    });
  }

  /** Show which symbols are selected, and hide those that the search excludes. */
  function markSelected() {
    const { symbols } = view.get();
    for (const [symbol, card] of cards) {
      card.select(symbols.includes(symbol), symbols[0] === symbol);
      card.element.hidden = !matches(symbol);
    }
    roving.reset(cards.get(symbols[0]));
    const count = shown().length;
    setText(find("#cards .count"), count === cards.size ? String(count) : `${count} of ${cards.size}`);
  }

  /** Paint the cards of these symbols with the next frame. @param {Iterable<string>} symbols */
  function update(symbols) {
    for (const symbol of symbols) {
      const card = cards.get(symbol);
      if (card) card.isStale = true;
    }
    frames.request();
  }

  frames.add((now) => {
    for (const symbol of visible) {
      const card = cards.get(symbol);
      const quote = market.get(symbol);
      if (!card?.isStale || !quote) continue;
      card.isStale = false;
      card.paint(quote, now);
      card.drawSparkline(sparklines.get(symbol), quote.open, now);
    }
  });
  view.subscribe((now, before) => {
    if (now.sort !== before.sort) sort();
    markSelected();
  });
  setInterval(() => {
    // A card under the pointer or with the focus must not move.
    if (view.get().sort === "change" && !document.hidden && !list.matches(":hover, :focus-within")) sort();
  }, SORT_MS);
  return { sync, update, reloadSparklines: sparklines.clear };
}
