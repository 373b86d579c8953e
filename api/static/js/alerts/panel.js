// @ts-check
// The number of alerts on the strip, and the dialog with their list that it opens.

import { id } from "./alerts.js";
import { address, json } from "../api.js";
import { cloneTemplate, closeOnClick, find, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";

/** @typedef {import("../types.js").Alert} Alert */

const PAGE = 50;

/** @param {(symbol: string) => void} select shows a symbol in the chart */
export function createAlertsPanel(select) {
  const button = find("#alerts-open");
  const dialog = /** @type {HTMLDialogElement} */ (find("#alerts"));
  const list = find("ol", dialog);
  const more = /** @type {HTMLButtonElement} */ (find(".more", dialog));
  const empty = find(".empty", dialog);
  let loading = new AbortController();
  /** @type {string | null} the cursor of the next page */
  let next = null;
  /** @type {Map<string, HTMLElement>} */
  let items = new Map();

  /** Load a page after the cursor, or as many from the first on as are shown. @param {string} [cursor] */
  async function load(cursor) {
    loading.abort();
    loading = new AbortController();
    const { signal } = loading;
    const limit = cursor ? PAGE : Math.max(PAGE, items.size);
    const answer = await json(address("/api/alerts", { limit, cursor }), { signal }).catch((error) => error);
    if (signal.aborted) return;
    if (!(answer instanceof Error)) {
      show(answer.data, cursor !== undefined);
      next = answer.next;
      more.hidden = next === null;
    }
    setText(empty, answer instanceof Error ? answer.message : "No alerts.");
    empty.hidden = items.size > 0;
  }

  /** @param {Alert[]} alerts @param {boolean} isMore */
  function show(alerts, isMore) {
    const shown = new Map(alerts.map((alert) => [id(alert), items.get(id(alert)) ?? item(alert)]));
    items = isMore ? new Map([...items, ...shown]) : shown;
    list.replaceChildren(...items.values());
  }

  /** @param {Alert} alert */
  function item(alert) {
    const node = cloneTemplate("alert");
    const time = find("time", node);
    setAttribute(time, "datetime", alert.ended_at);
    setAttribute(time, "title", format.utc(alert.ended_at));
    setText(time, format.moment(Date.parse(alert.ended_at), 1));
    setText(find(".rule", node), alert.rule.replaceAll("_", " "));
    setText(find(".severity", node), alert.severity);
    setAttribute(node, "data-severity", alert.severity);
    setText(find(".message", node), alert.message);
    const symbol = find("button", node);
    setText(symbol, alert.symbol);
    symbol.addEventListener("click", () => (dialog.close(), select(alert.symbol)));
    return node;
  }

  function open() {
    if (dialog.open || button.hidden) return;
    dialog.showModal();
    load();
  }

  button.addEventListener("click", open);
  more.addEventListener("click", () => next && load(next));
  closeOnClick(dialog, ".close");
  dialog.addEventListener("close", () => loading.abort());
  return {
    open,
    /** Show how many of the known ones are recent. @param {number} recent @param {number} known */
    count(recent, known) {
      button.hidden = known === 0;
      setText(find("b", button), format.big(recent));
      setText(find(".count", dialog), `${format.count(recent)} in the last hour`);
      // Nothing moves in a list that someone reads.
      const isRead = list.scrollTop > 0 || list.matches(":hover, :focus-within");
      if (dialog.open && !isRead) load();
    },
  };
}
