// @ts-check
// The head of the chart: the chosen symbols, the first of them large, the others to take away.

import { find, make, mark, say } from "../dom.js";
import * as format from "../format.js";

/**
 * @param {ReturnType<typeof import("../live/market.js").createMarket>} market
 * @param {ReturnType<typeof import("../view.js").createView>} view
 * @param {ReturnType<typeof import("../frames.js").createFrames>} frames
 */
export function createChosen(market, view, frames) {
  const symbol = find("#chosen .symbol");
  const price = find("#chosen .price");
  const change = find("#chosen .change");
  const others = find("#chosen .others");
  const types = /** @type {HTMLFieldSetElement} */ (find("[data-choice=type]"));
  let titled = 0;

  function sync() {
    const { symbols } = view.get();
    say(symbol, symbols[0] ?? "");
    const isCompared = symbols.length > 1;
    // Several symbols are always lines.
    types.disabled = isCompared;
    others.replaceChildren(...(isCompared ? symbols : []).map((each, at) => {
      const button = make("button", { type: "button", class: "chip", "data-line": String(at + 1), "aria-label": `Remove ${each}` }, each);
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
    say(price, format.price(quote.price));
    mark(price, "data-move", format.direction(quote.move));
    say(change, `${format.change(moved, quote.price)} (${format.percent((100 * moved) / quote.open)})`);
    mark(change, "data-direction", format.direction(moved));
  });

  /** The title is what a hidden tab still shows. */
  setInterval(() => {
    const quote = market.get(view.get().symbols[0]);
    if (!quote || quote.time === titled) return;
    titled = quote.time;
    const percent = format.percent((100 * (quote.price - quote.open)) / quote.open);
    document.title = `${quote.symbol} ${format.price(quote.price)} ${percent} · Millrace`;
  }, 1000);
  view.subscribe(() => ((titled = 0), sync()));
  return { sync };
}
