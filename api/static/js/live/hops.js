// @ts-check
// The numbers of the jobs, and the delay of a tick at each hop of its way.

import { makeElement, setAttribute, setText } from "../dom.js";
import * as format from "../format.js";

/** The numbers of all jobs together; null is unknown. @param {any[] | null} jobs rows of /api/pipeline, null if unknown */
export function totals(jobs) {
  const known = (/** @type {string} */ name) => (jobs ?? []).map((job) => job[name]).filter((value) => value != null);
  const lags = known("lag");
  const ages = known("checkpoint_age_seconds");
  const sum = (/** @type {any[]} */ numbers) => numbers.reduce((all, each) => all + Number(each), 0);
  return {
    lag: lags.length ? sum(lags) : null,
    // The number of partitions and jobs whose lag is not in the sum.
    unknown: sum(known("unknown_partitions")) + (jobs?.length ?? 0) - lags.length,
    checkpointMs: ages.length ? 1000 * Math.max(...ages) : null,
    deadLetters: jobs ? sum(known("dead_letters")) : null,
    recentDeadLetters: sum(known("dead_letters_last_minute")),
    late: sum(known("late_ticks")),
    recentLate: sum(known("late_ticks_last_minute")),
    hops: (jobs ?? []).find((job) => job.hops?.length)?.hops ?? null,
  };
}

// Kafka's timestamps are whole milliseconds: less than one below 0 is 0.
const duration = (/** @type {number | null} */ ms) => format.duration(ms !== null && ms < 0 && ms > -1 ? 0 : ms);

/** @param {HTMLElement} list with the slots of the first paint */
export function createHops(list) {
  let names = "";
  return {
    /** @param {{hop: string, p50_ms: number | null, p99_ms: number | null}[] | null} hops null: unknown */
    show(hops) {
      if (hops && names !== (names = hops.map(({ hop }) => hop).join())) list.replaceChildren(...nodes(hops));
      list.querySelectorAll(".hop span").forEach((slot, at) => {
        const { hop = "", p50_ms = null, p99_ms = null } = hops?.[at] ?? {};
        const [p50, p99] = [duration(p50_ms), duration(p99_ms)];
        setText(slot, p50);
        setAttribute(slot, "title", `${hop}: half within ${p50}, 99 of 100 within ${p99}`);
      });
    },
  };
}

/** "event to Kafka", "Kafka to Flink": Event, Kafka, Flink, with a line between two. @param {{hop: string}[]} hops */
function nodes(hops) {
  const ends = hops.map(({ hop }) => hop.split(" to "));
  return [
    makeElement("li", {}, format.capitalized(ends[0][0])),
    ...ends.flatMap(([, to]) => [makeElement("li", { class: "hop" }, makeElement("span")), makeElement("li", {}, format.capitalized(to))]),
  ];
}
