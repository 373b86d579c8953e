// @ts-check
// Choices of which one is selected: radio buttons, so that the arrow keys work as usual.

import { find, makeElement } from "./dom.js";
import { LABELS } from "./intervals.js";
import { CHOICES } from "./view.js";

/** @type {Record<string, string>} */
const TEXTS = { ...LABELS, candles: "Candles", line: "Line", name: "By name", change: "By change" };

/** @param {ReturnType<typeof import("./view.js").createView>} view */
export function createChoices(view) {
  for (const [name, values] of Object.entries(CHOICES)) {
    const group = find(`[data-choice=${name}]`);
    const inputs = values.map((value) => {
      const input = /** @type {HTMLInputElement} */ (makeElement("input", { type: "radio", name, value }));
      input.checked = view.get()[name] === value;
      input.addEventListener("change", () => view.set({ [name]: value }));
      // An interval has its short name, 5m, so that it differs from the range "5 min".
      const text = name === "interval" ? value : TEXTS[value];
      group.append(makeElement("label", {}, input, makeElement("span", {}, text)));
      return input;
    });
    view.subscribe((now) => inputs.forEach((input) => (input.checked = input.value === now[name])));
  }
}
