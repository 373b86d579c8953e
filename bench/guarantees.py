"""What each contender promises, tested once: all its processes are killed in mid-drain, and it is
started again; then every record of the topic is counted in the table.

Merges are stopped meanwhile, because the table would merge rows of the same record into one."""

import time
from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from bench import progress, running, topics
from bench.contenders import Contender
from bench.failures import failures
from bench.progress import FIRST_PAUSE, PAUSE
from bench.running import TABLE
from bench.sizes import Sizes
from bench.stack import console, steps
from lib import clickhouse
from lib.settings import Settings
from lib.waiting import until

# A contender is killed at half of the ticks, or this long after its first, in seconds.
KILL_AFTER = 10.0
# How long a contender that was started again may store nothing before it is taken as done, and how
# long it may go on: in seconds.
STILL, LONGEST = 20.0, 30.0
# How long rows are waited for that may be stored twice, after each record is there, in seconds.
LEFT = 3.0


def section(
    config: Settings, contenders: Sequence[Contender], sizes: Sizes, into: dict[str, Any]
) -> None:
    """Kill each contender that stores what it reads, once."""
    client = clickhouse.connect(config.clickhouse)
    into["ticks"] = sizes.kill_ticks
    storing = [one for one in contenders if one.kind != "limit"]
    with topics.filled(config, sizes.kill_ticks) as topic:
        for contender in steps(storing, "kill", lambda one: one.name):
            with failures(contender.name, into):
                result = run(config, contender, topic, sizes.kill_ticks, client)
                into.setdefault("contenders", {})[contender.name] = result
                console.print(
                    f"  {contender.name}: {result['lost']:,} lost, {result['stored_twice']:,} "
                    f"stored twice, {result['recovered_s'] or '-'} s until the next row"
                )


def run(
    config: Settings, contender: Contender, topic: str, ticks: int, client: Client
) -> dict[str, Any]:
    """Kill it once, and count."""
    running.empty(client)
    client.command(f"SYSTEM STOP MERGES {TABLE}")
    try:
        with running.task(config, topic) as given:
            done = progress.of(contender, given, client)
            with running.started(contender, given) as process:
                first = progress.wait(done, lambda: running.check(process, contender, given), 1)
                until(lambda: done() >= ticks // 2, KILL_AFTER, pause=FIRST_PAUSE)
            killed, before = time.monotonic(), done()
            recovered = None
            with running.started(contender, given) as process:
                # One that stores all in one batch may have done so before the kill.
                if before < ticks:
                    after = before + 1
                    progress.wait(done, lambda: running.check(process, contender, given), after)
                    recovered = round(time.monotonic() - killed, 2)
                until_still(client, ticks, STILL if recovered is None else LEFT)
        return counts(client) | {
            "rows_before_the_kill": before,
            "first_row_s": round(first, 2),
            "recovered_s": recovered,
        }
    finally:
        client.command(f"SYSTEM START MERGES {TABLE}")


def until_still(client: Client, ticks: int, left: float) -> None:
    """Return when nothing is stored any more: for STILL, or for `left` once each record is."""
    begun = changed = time.monotonic()
    before, still = -1, STILL
    while (now := time.monotonic()) < begun + LONGEST and now < changed + still:
        found = counts(client)
        still = left if found["records"] >= ticks else STILL
        if (rows := found["records"] + found["stored_twice"]) != before:
            before, changed = rows, now
        time.sleep(PAUSE)


def counts(client: Client) -> dict[str, int]:
    """Records in the table, those that it lacks below the highest offset, rows beyond one each."""
    rows, records, highest = client.query(
        "SELECT sum(rows), sum(records), sum(last + 1) FROM (SELECT count() AS rows,"
        f" uniqExact(kafka_offset) AS records, max(kafka_offset) AS last FROM {TABLE}"
        " GROUP BY kafka_partition)"
    ).result_rows[0]
    return {"records": records, "lost": highest - records, "stored_twice": rows - records}
