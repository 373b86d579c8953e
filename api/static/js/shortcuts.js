// @ts-check
// Keyboard shortcuts, which work everywhere but in text fields and can be turned off.

import { closeOnClick, find } from "./dom.js";
import { CHOICES } from "./view.js";

const NAME = "millrace.shortcuts";

/** @param {ReturnType<typeof import("./view.js").createView>} view @param {{pause: () => void, alerts: () => void, deadLetters: () => void}} actions */
export function createShortcuts(view, { pause, alerts, deadLetters }) {
  const help = /** @type {HTMLDialogElement} */ (find("#help"));
  const isOn = /** @type {HTMLInputElement} */ (find("#shortcuts"));
  isOn.checked = stored() !== "off";
  isOn.addEventListener("change", () => save(isOn.checked ? "on" : "off"));
  find("#help-open").addEventListener("click", () => help.showModal());
  closeOnClick(help, "button");

  /** @type {Record<string, () => void>} */
  const keys = {
    "/": () => find("#filter").focus(),
    f: () => find("#find").focus(),
    c: () => view.set({ type: "candles" }),
    l: () => view.set({ type: "line" }),
    p: pause,
    a: alerts,
    d: deadLetters,
    "?": () => help.showModal(),
  };
  CHOICES.interval.forEach((interval, at) => (keys[at + 1] = () => view.set({ interval })));

  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    if (target.matches("input:not([type=radio]), textarea") || document.querySelector("dialog[open]")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (!isOn.checked || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

// A browser may refuse storage.
function stored() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}
/** @param {string} value */
function save(value) {
  try {
    localStorage.setItem(NAME, value);
  } catch {
    // The choice applies until the page is closed.
  }
}
