// @ts-check
// The key of an API that wants one: asked for once, kept while the tab is open.

import { find, say } from "./dom.js";

const NAME = "millrace.key";
/** @type {Promise<void> | null} */
let asking = null;

/** @returns {Record<string, string>} */
export function authorization() {
  const key = sessionStorage.getItem(NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Ask for a key and wait until one is given; all who are refused wait for the same one. @param {string} refused the header that was not accepted */
export function askKey(refused) {
  // Someone else has been given a key in the meantime.
  if ((authorization().Authorization ?? "") !== refused) return Promise.resolve();
  asking ??= new Promise((resolve) => {
    const dialog = /** @type {HTMLDialogElement} */ (find("#key"));
    const input = /** @type {HTMLInputElement} */ (find("input", dialog));
    say(find("[role=alert]", dialog), refused ? "This key was not accepted." : "");
    find("form", dialog).addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(NAME, input.value.trim());
      input.value = "";
      dialog.close();
      asking = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}
