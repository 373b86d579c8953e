// @ts-check
// The cards of all symbols: only those on screen are written to.

import { createCard } from "./card.js";
import { find, say } from "../dom.js";
import { createRoving } from "./roving.js";
import { createTrails } from "./sparkline.js";

const ARRANGE_MS = 3000;

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 * @param {(symbol: string, isAdded: boolean) => void} choose
 */
export function createCards(market, view, frames, choose) {
  const list = find("#cards ul");
  /** @type {Map<string, import("./card.js").Card>} */
  const cards = new Map();
  /** @type {Set<string>} */
  const seen = new Set();
  const trails = createTrails(market, (symbols) => {
    for (const symbol of symbols) cards.get(symbol)?.sparkAgain();
    touch(symbols);
  });
  const roving = createRoving(list, () => shown().map((symbol) => cards.get(symbol)));
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const symbol = /** @type {HTMLElement} */ (target).dataset.symbol ?? "";
        if (isIntersecting) seen.add(symbol);
        else seen.delete(symbol);
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
  const order = () => {
    const symbols = market.symbols();
    return view.get().sort === "change" ? symbols.sort((a, b) => change(b) - change(a)) : symbols;
  };
  const matches = (/** @type {string} */ symbol) => symbol.toUpperCase().includes(view.get().find.trim().toUpperCase());
  const shown = () =>
    [...list.children].map((element) => /** @type {HTMLElement} */ (element).dataset.symbol ?? "").filter((symbol) => symbol && matches(symbol));

  /** Make cards for symbols that have none. */
  function sync() {
    if (cards.size === market.size()) return;
    if (!cards.size) list.replaceChildren();
    for (const symbol of market.symbols()) {
      if (cards.has(symbol)) continue;
      const card = createCard(symbol);
      cards.set(symbol, card);
      card.button.addEventListener("click", (event) => choose(symbol, event.ctrlKey || event.shiftKey || event.metaKey));
      card.add.addEventListener("click", () => choose(symbol, true));
      card.element.hidden = !matches(symbol);
      watcher.observe(card.element);
    }
    arrange();
    list.removeAttribute("aria-busy");
    mark();
  }

  /** Put the cards in their order. */
  function arrange() {
    order().forEach((symbol, at) => {
      const element = cards.get(symbol)?.element;
      if (element && list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    });
  }

  /** Show what is chosen and what the search leaves. */
  function mark() {
    const { symbols } = view.get();
    for (const [symbol, card] of cards) {
      card.choose(symbols.includes(symbol), symbols[0] === symbol);
      card.element.hidden = !matches(symbol);
    }
    roving.reset(cards.get(symbols[0]));
    const count = shown().length;
    say(find("#cards .count"), count === cards.size ? String(count) : `${count} of ${cards.size}`);
  }

  /** These have changed. @param {Iterable<string>} symbols */
  function touch(symbols) {
    for (const symbol of symbols) {
      const card = cards.get(symbol);
      if (card) card.isStale = true;
    }
    frames.request();
  }

  frames.add((now) => {
    for (const symbol of seen) {
      const card = cards.get(symbol);
      const quote = market.get(symbol);
      if (!card?.isStale || !quote) continue;
      card.isStale = false;
      card.paint(quote, now);
      card.spark(trails.get(symbol), quote.open, now);
    }
  });
  view.subscribe((now, before) => {
    if (now.sort !== before.sort) arrange();
    mark();
  });
  setInterval(() => {
    // What someone points at must not move away.
    if (view.get().sort === "change" && !document.hidden && !list.matches(":hover, :focus-within")) arrange();
  }, ARRANGE_MS);
  return { sync, touch, forget: trails.forget };
}
