// @ts-check
// The number of dead letters on the strip, and the dialog with their list that it opens.

import { address, json } from "../api.js";
import { closeOnClick, find, makeElement, setText } from "../dom.js";
import * as format from "../format.js";
import { createList } from "./list.js";

const STAGES = { "": "All", parse: "Parse", rule: "Rule", sink: "Sink" };
const PAGE = 50;
// How many bytes of a record to load: a record may have megabytes.
const MAX_SIZE = 2000;

export function createDeadLetters() {
  const button = find("#dead-letters-open");
  const dialog = /** @type {HTMLDialogElement} */ (find("#dead-letters"));
  const more = /** @type {HTMLButtonElement} */ (find(".more", dialog));
  const empty = find(".empty", dialog);
  const list = createList(find("ol", dialog));
  let stage = "";
  let loading = new AbortController();
  /** @type {string | null} the cursor of the next page */
  let next = null;
  // The number of dead letters, and the number when the list was loaded.
  let total = 0;
  let loadedTotal = -1;

  /** Load a page after the cursor, or as many from the first on as are shown. @param {string} [cursor] */
  async function load(cursor) {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    const expected = total;
    const limit = cursor ? PAGE : Math.max(PAGE, list.size());
    const params = { limit, cursor, stage: stage || undefined, replayed: "false", max_size: MAX_SIZE };
    const answer = await json(address("/api/dead_letters", params), { signal }).catch((error) => error);
    if (signal.aborted) return;
    if (answer instanceof Error) return showEmpty(list.size() ? "" : answer.message);
    if (cursor) {
      list.append(answer.data);
    } else {
      list.show(answer.data);
      loadedTotal = expected;
    }
    next = answer.next;
    more.hidden = next === null;
    showEmpty(list.size() ? "" : "No dead letters.");
  }

  /** @param {string} text */
  function showEmpty(text) {
    setText(empty, text);
    empty.hidden = text === "";
  }

  function open() {
    if (dialog.open || button.hidden) return;
    dialog.showModal();
    load();
  }

  for (const [value, text] of Object.entries(STAGES)) {
    const input = /** @type {HTMLInputElement} */ (makeElement("input", { type: "radio", name: "stage", value }));
    input.checked = value === stage;
    input.addEventListener("change", () => {
      stage = value;
      list.show([]);
      more.hidden = true;
      load();
    });
    find("fieldset", dialog).append(makeElement("label", {}, input, makeElement("span", {}, text)));
  }
  button.addEventListener("click", open);
  more.addEventListener("click", () => next && load(next));
  closeOnClick(dialog, ".close");
  dialog.addEventListener("close", () => loading.abort());
  return {
    open,
    /** Show how many there are. @param {number | null} count null: unknown @param {number} recent of the last minute */
    count(count, recent) {
      if (count === null) return;
      total = count;
      button.hidden = count === 0;
      setText(find("b", button), format.big(count));
      setText(find("small", button), `${format.big(recent)} in the last minute`);
      setText(find(".count", dialog), `${format.count(count)}, ${format.count(recent)} in the last minute`);
      if (dialog.open && total !== loadedTotal && !list.isRead()) load();
    },
  };
}
