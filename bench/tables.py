"""The tables of docs/benchmarks.md. A figure is the median of the rounds, with the lowest and the
highest in brackets."""

from collections.abc import Iterable, Sequence

from bench import figures, goals
from bench.contenders import BASELINE
from bench.figures import ASKED, Run, cost, drained, known, middle, of, own, ratios

DRAIN = (
    "contender", "ticks a second", f"by the {BASELINE}", "first row, s", "stored",
    "CPU-s per million", "its own", "broker", "ClickHouse", "memory, MB",
)  # fmt: skip
LATENCY = (
    "contender", "ticks a second", "p50, ms", "p99, ms", "p99.9, ms", "never visible", "cores",
)  # fmt: skip

GROWTH = (
    "case", "ticks a second", "CPU-s per million", "memory, MB", "p50, ms", "p99, ms",
)  # fmt: skip
API = ("endpoint", "million rows", "the API, ms", "ClickHouse alone, ms", "added, ms")
CLIENTS = ("clients", "of", "answers a second", "p50, ms", "p99, ms", "failed")


def machine(run: Run) -> str:
    """On what, when and with what the run was made."""
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    note = f" Meanwhile: {run['note']}." if run["note"] else ""
    return (
        f"{run['date'][:16].replace('T', ' ')} UTC, commit `{run['commit']}`, {run['cores']} cores "
        f"({run['cpu']}), load in the 15 minutes before {run['load_before']}.{note}\n{versions}."
    )


def contenders(run: Run) -> str:
    """What is measured, and why something is not."""
    lines = [
        (name, one["what"], one["guarantee"], one["missing"] or "")
        for name, one in run["contenders"].items()
    ]
    return table(("contender", "what it is", "guarantee", "not measured"), lines, left=4)


def drain(run: Run) -> str:
    """One line per contender, the fastest first."""

    def rate(name: str) -> float:
        return middle(of(drained(run, name), "rate")) or 0.0

    names = sorted(run["drain"]["contenders"], key=rate, reverse=True)
    return table(DRAIN, [drain_line(run, name) for name in names])


def drain_line(run: Run, name: str) -> Sequence[str]:
    found, baseline = drained(run, name), drained(run, BASELINE)
    costs = [one["cpu_per_million_s"] for one in found]
    return (
        name,
        spread(of(found, "rate"), 0),
        spread(ratios(of(found, "rate"), of(baseline, "rate")), 2),
        spread(of(found, "first_row_s"), 1),
        "all" if all(one["is_complete"] for one in found) else spread(of(found, "rows"), 0),
        spread([cost(one) for one in found], 1),
        spread([own(one) for one in costs], 1),
        spread([one.get("broker") for one in costs], 1),
        spread([one.get("clickhouse") for one in costs], 1),
        spread([own(one["memory_peak_mb"]) for one in found], 0),
    )


def guarantees(run: Run) -> str:
    """One line per contender that was killed."""
    head = ("contender", "stored before", "lost", "stored twice", "next row after, s")
    names = ("rows_before_the_kill", "lost", "stored_twice")
    found = run["guarantees"].get("contenders", {}).items()
    return table(
        head,
        [
            (name, *(f"{one[each]:,}" for each in names), spread([one["recovered_s"]], 1))
            for name, one in found
        ],
    )


def latency(run: Run) -> str:
    """One line per contender and rate."""
    rates = [str(rate) for rate in run["latency"]["rates"]]
    found = run["latency"].get("contenders", {}).items()
    lines = [
        latency_line(name, rate, [one[rate] for one in rounds if rate in one])
        for name, rounds in found
        for rate in rates
    ]
    return table(LATENCY, lines)


def latency_line(name: str, rate: str, found: Sequence[Run]) -> Sequence[str]:
    cores = [sum(one["cores"].values()) - one["cores"].get("load", 0.0) for one in found]
    return (
        name,
        f"{int(rate):,}",
        *(spread(of(found, each), 0) for each in ("p50_ms", "p99_ms", "p999_ms")),
        f"{sum(one['not_visible'] for one in found):,}",
        spread(cores, 2),
    )


def recovery(run: Run) -> str:
    """One line per kind of start."""
    cold, warm, demo = (run["recovery"].get(name, []) for name in ("cold", "warm", "demo"))
    first, again = "first_row_s", "next_row_s"
    lines = [
        ("the job, from its start to the first row, cold", spread(of(cold, first), 1)),
        ("the same, warm", spread(of(warm, first), 1)),
        ("the job, started after a kill, to the next row", spread(of(warm, again), 1)),
        ("a demo, from its start to the first price", spread(of(demo, "first_price_s"), 1)),
    ]
    return table(("what", "seconds"), lines)


def footprint(run: Run) -> str:
    """What is installed and what a demo takes, each with its sum."""
    found = run["footprint"]
    rest, load = found.get("at_rest_mb", {}), figures.at_full_load(run)
    parts = ", ".join(f"{name} {value:,.0f}" for name, value in rest.items())
    lines = [
        ("installed packages", f"{found['installed_mb']['packages']:,.0f}"),
        ("installed JARs", f"{found['installed_mb']['jars']:,.0f}"),
        (
            "archives of classes and JARs that the set-up makes",
            f"{found['installed_mb']['made']:,.0f}",
        ),
        ("the tools, in addition", f"{found['installed_mb']['tools']:,.0f}"),
        ("downloaded", spread([found["downloaded_mb"]], 0)),
        (f"memory of a demo at rest (PSS): {parts}", f"{sum(rest.values()):,.0f}"),
        ("memory of the job and the servers during a drain (RSS)", spread([load], 0)),
    ]
    return table(("what", "MB"), lines)


def api(run: Run) -> str:
    """One line per endpoint and size, then one per number of clients and what they ask."""
    found = run["api"]
    sizes = [
        (name, millions, *(f"{one[each]:,.1f}" for each in ("api_ms", "clickhouse_ms", "added_ms")))
        for name, by_size in found.get("endpoints", {}).items()
        for millions, one in by_size.items()
    ]
    clients = [
        (
            number,
            ASKED[way],
            spread([one["rate"]], 0),
            *(spread([one[each]], 1) for each in ("p50_ms", "p99_ms")),
            f"{one['failed']:,}",
        )
        for number, ways in found.get("clients", {}).items()
        for way, one in ways.items()
    ]
    return f"{table(API, sizes)}\n\n{table(CLIENTS, clients, left=2)}"


def growth(run: Run) -> str:
    """One line per case."""
    lines = [
        (
            name,
            spread([one["rate"]], 0),
            spread([sum(one["cpu_per_million_s"].values())], 1),
            spread([sum(one["memory_peak_mb"].values())], 0),
            *(spread([one["latency"][each]], 0) for each in ("p50_ms", "p99_ms")),
        )
        for name, one in run["growth"].get("cases", {}).items()
    ]
    return table(GROWTH, lines)


def reached(run: Run) -> str:
    """Each goal beside the figure, if it was measured."""
    lines = [
        (goal.what, goal.wanted, goal.shown(value), "yes" if goal.is_reached(value) else "**no**")
        for goal in goals.GOALS
        if (value := goal.value(run)) is not None
    ]
    return table(("goal", "wanted", "measured", "reached"), lines)


def spread(values: Sequence[float | None], digits: int) -> str:
    """The median and, of several, the lowest and the highest."""
    ordered = sorted(known(values))
    if not ordered:
        return "-"
    low, high = (f"{value:,.{digits}f}" for value in (ordered[0], ordered[-1]))
    shown = f"{middle(ordered):,.{digits}f}"
    return f"{shown} ({low} to {high})" if len(ordered) > 1 else shown


def table(head: Sequence[str], lines: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table of Markdown whose first columns are texts, and the others numbers."""
    marks = ["---" if number < left else "---:" for number in range(len(head))]
    return "\n".join(
        f"| {' | '.join(line)} |" if line is not marks else f"|{'|'.join(line)}|"
        for line in [head, marks, *lines]
    )
