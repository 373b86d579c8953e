// @ts-check
// A row of choices of which one holds: radio buttons, so that the arrow keys work as anywhere.

import { find, make } from "./dom.js";
import { SAID } from "./intervals.js";
import { CHOICES } from "./view.js";

/** @type {Record<string, string>} */
const NAMES = { ...SAID, candles: "Candles", line: "Line", name: "By name", change: "By change" };

/** @param {ReturnType<typeof import("./view.js").createView>} view */
export function createChoices(view) {
  for (const [name, values] of Object.entries(CHOICES)) {
    const group = find(`[data-choice=${name}]`);
    const inputs = values.map((value) => {
      const input = /** @type {HTMLInputElement} */ (make("input", { type: "radio", name, value }));
      input.checked = view.get()[name] === value;
      input.addEventListener("change", () => view.set({ [name]: value }));
      // Intervals go by their short names: 5m beside "5 min" is a candle beside a range.
      const said = name === "interval" ? value : NAMES[value];
      group.append(make("label", {}, input, make("span", {}, said)));
      return input;
    });
    view.subscribe((now) => inputs.forEach((input) => (input.checked = input.value === now[name])));
  }
}
