// @ts-check
// Requests to the API, and their errors.

import { promptForKey, authorization } from "./key.js";
import * as clock from "./clock.js";

export class ApiError extends Error {
  /** @param {number} status 0: no answer @param {string} message @param {number} retryAfter seconds */
  constructor(status, message, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** @param {string} path @param {Record<string, string | number | string[] | undefined>} params */
export function address(path, params = {}) {
  const defined = Object.entries(params).filter(([, value]) => value !== undefined);
  const query = defined.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&");
  return query ? `${path}?${query.replaceAll("%2C", ",")}` : path;
}

/** The response to a GET, after a prompt for the key if it is needed; throw ApiError if the API does not answer. @param {string} url @param {RequestInit} options */
export async function request(url, options = {}) {
  for (;;) {
    const key = authorization();
    const sent = Date.now();
    let response;
    try {
      response = await fetch(url, { ...options, headers: { ...options.headers, ...key } });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new ApiError(0, "The API does not answer.");
    }
    // The header has whole seconds and is updated about once a second: it only shows large differences.
    clock.observe(Date.parse(response.headers.get("date") ?? ""), 3000, sent, Date.now());
    if (response.status !== 401) return response;
    await promptForKey(key.Authorization ?? "");
  }
}

/** The JSON of a response; `allowed` are the statuses besides 2xx that have one. @param {string} url @param {{signal?: AbortSignal, allowed?: number[]}} options */
export async function json(url, { signal, allowed = [] } = {}) {
  const response = await request(url, { signal, cache: "no-cache" });
  if (!response.ok && !allowed.includes(response.status)) throw await failure(response);
  return response.json();
}

/** The rows of an endpoint's answer. @param {string} name @param {Record<string, string | number | string[] | undefined>} params @param {AbortSignal} [signal] */
export async function rows(name, params = {}, signal = undefined) {
  return (await json(address(`/api/${name}`, params), { signal })).data;
}

/** @param {Response} response */
export async function failure(response) {
  const problem = await response.json().catch(() => ({}));
  const message = problem.detail ?? problem.title ?? `The API answered ${response.status}.`;
  return new ApiError(response.status, message, Number(response.headers.get("retry-after")) || 0);
}
