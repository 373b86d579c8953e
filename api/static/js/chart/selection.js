// @ts-check
// The head of the chart: the selected symbols, the first of them large, each of several with a button that removes it.

import { find, makeElement, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 */
export function createSelection(market, view, frames) {
  const symbol = find("#selection .symbol");
  const price = find("#selection .price");
  const change = find("#selection .change");
  const others = find("#selection .others");
  const types = /** @type {HTMLFieldSetElement} */ (find("[data-choice=type]"));
  let titleTime = 0;

  function sync() {
    const { symbols } = view.get();
    setText(symbol, symbols[0] ?? "");
    const isCompared = symbols.length > 1;
    // Several symbols are always drawn as lines.
    types.disabled = isCompared;
    others.replaceChildren(...(isCompared ? symbols : []).map((each, at) => {
      const button = makeElement("button", { type: "button", class: "chip", "data-line": String(at + 1), "aria-label": `Remove ${each}` }, each);
      button.addEventListener("click", () => {
        view.set({ symbols: view.get().symbols.filter((other) => other !== each) });
        /** @type {HTMLElement | null} */ (others.querySelector("button"))?.focus();
      });
      return button;
    }));
    frames.request();
  }

  frames.add(() => {
    const quote = market.get(view.get().symbols[0]);
    if (!quote) return;
    const moved = quote.price - quote.open;
    setText(price, format.price(quote.price));
    setAttribute(price, "data-move", format.direction(quote.move));
    setText(change, `${format.change(moved, quote.price)} (${format.percent((100 * moved) / quote.open)})`);
    setAttribute(change, "data-direction", format.direction(moved));
  });

  // A hidden tab shows only the title.
  setInterval(() => {
    const quote = market.get(view.get().symbols[0]);
    if (!quote || quote.time === titleTime) return;
    titleTime = quote.time;
    const percent = format.percent((100 * (quote.price - quote.open)) / quote.open);
    document.title = `${quote.symbol} ${format.price(quote.price)} ${percent} · Millrace`;
  }, 1000);
  view.subscribe(() => ((titleTime = 0), sync()));
  return { sync };
}
