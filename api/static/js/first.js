// @ts-check
// Loads the newest prices while the rest of the page still loads.

import { authorization } from "./key.js";

/** @returns {Promise<any[] | null>} null if it fails; then the page loads them itself */
async function load() {
  const response = await fetch("/api/latest", { headers: authorization(), cache: "no-cache" });
  return response.ok ? (await response.json()).data : null;
}

/** @type {Promise<any[] | null>} */
export const first = load().catch(() => null);
