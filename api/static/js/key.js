// @ts-check
// The key of an API that requires one, kept until the tab is closed.

import { find, setText } from "./dom.js";

const NAME = "millrace.key";
/** @type {Promise<void> | null} */
let prompt = null;

/** @returns {Record<string, string>} */
export function authorization() {
  const key = sessionStorage.getItem(NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Prompt for a key and wait for it; all requests that were refused wait for the same prompt. @param {string} refused the header that was refused */
export function promptForKey(refused) {
  // Another request has received a key in the meantime.
  if ((authorization().Authorization ?? "") !== refused) return Promise.resolve();
  prompt ??= new Promise((resolve) => {
    const dialog = /** @type {HTMLDialogElement} */ (find("#key"));
    const input = /** @type {HTMLInputElement} */ (find("input", dialog));
    setText(find("[role=alert]", dialog), refused ? "This key was not accepted." : "");
    find("form", dialog).addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(NAME, input.value.trim());
      input.value = "";
      dialog.close();
      prompt = null;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return prompt;
}
