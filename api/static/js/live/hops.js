// @ts-check
// The jobs of the pipeline as numbers, and the way of a tick from hop to hop.

import { make, mark, say } from "../dom.js";
import * as format from "../format.js";

/** The numbers of all jobs as one; null is unknown. @param {any[] | null} jobs rows of /api/pipeline, null if unknown */
export function totals(jobs) {
  const known = (/** @type {string} */ name) => (jobs ?? []).map((job) => job[name]).filter((value) => value != null);
  const lags = known("lag");
  const ages = known("checkpoint_age_seconds");
  const sum = (/** @type {any[]} */ numbers) => numbers.reduce((all, each) => all + Number(each), 0);
  return {
    lag: lags.length ? sum(lags) : null,
    // Of so many partitions, or whole jobs, it is not in the sum.
    unknown: sum(known("unknown_partitions")) + (jobs?.length ?? 0) - lags.length,
    checkpointMs: ages.length ? 1000 * Math.max(...ages) : null,
    hops: (jobs ?? []).find((job) => job.hops?.length)?.hops ?? null,
  };
}

// Kafka's clock has whole milliseconds: what is less than one too early is none.
const span = (/** @type {number | null} */ ms) => format.span(ms !== null && ms < 0 && ms > -1 ? 0 : ms);

/** @param {HTMLElement} list with places for what is not known yet */
export function createHops(list) {
  let names = "";
  return {
    /** @param {{hop: string, p50_ms: number | null, p99_ms: number | null}[] | null} hops null: not known */
    show(hops) {
      if (hops && names !== (names = hops.map(({ hop }) => hop).join())) list.replaceChildren(...nodes(hops));
      list.querySelectorAll(".hop span").forEach((slot, at) => {
        const { hop = "", p50_ms = null, p99_ms = null } = hops?.[at] ?? {};
        const [half, most] = [span(p50_ms), span(p99_ms)];
        say(slot, half);
        mark(slot, "title", `${hop}: half within ${half}, 99 of 100 within ${most}`);
      });
    },
  };
}

/** "event to Kafka", "Kafka to Flink": Event, Kafka, Flink, and a line between each two. @param {{hop: string}[]} hops */
function nodes(hops) {
  const capital = (/** @type {string} */ text) => text.charAt(0).toUpperCase() + text.slice(1);
  const ends = hops.map(({ hop }) => hop.split(" to "));
  return [
    make("li", {}, capital(ends[0][0])),
    ...ends.flatMap(([, to]) => [make("li", { class: "hop" }, make("span")), make("li", {}, capital(to))]),
  ];
}
