// @ts-check
// The alerts that the page knows: those of the charts that it showed, the newest of all, and new ones.

import { address, json } from "../api.js";

/** @typedef {import("../types.js").Alert} Alert */

const MOST = 500;
const MAX_KNOWN = 5000;

/** @param {() => void} changed */
export function createAlerts(changed) {
  /** @type {Map<string, Alert>} */
  const known = new Map();

  /** Add alerts; one that is known already is not added again. @param {Alert[]} alerts */
  function add(alerts) {
    const before = known.size;
    for (const alert of alerts) if (!known.has(id(alert))) known.set(id(alert), alert);
    // The oldest arrived first.
    for (const key of known.keys()) {
      if (known.size <= MAX_KNOWN) break;
      known.delete(key);
    }
    if (known.size !== before) changed();
  }

  return {
    add,
    /** Load the newest of these symbols since a time; without symbols, of all. @param {string[]} symbols @param {number} since */
    async load(symbols, since) {
      const from = new Date(since).toISOString();
      const params = { symbols: symbols.length ? symbols : undefined, from, limit: MOST };
      const answer = await json(address("/api/alerts", params)).catch(() => ({ data: [] }));
      add(answer.data);
    },
    /** The number of those that were complete since a time. @param {number} since */
    count: (since) => [...known.values()].filter(({ ended_at }) => Date.parse(ended_at) >= since).length,
    size: () => known.size,
    /** @param {string} symbol */
    of: (symbol) => [...known.values()].filter((alert) => alert.symbol === symbol),
  };
}

/** Identifies an alert. @param {Alert} alert */
export const id = ({ rule, symbol, ended_at }) => JSON.stringify([rule, symbol, ended_at]);
