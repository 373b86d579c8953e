"""`python -m bench.plots FILE`: draws a stored run of `make bench` in docs/benchmarks/."""

from pathlib import Path

import click

from bench import results
from bench.charts import Option, chart, draw, line
from bench.figures import ASKED, Run, drained, middle, of, own
from bench.report import ALONE, PICTURES, is_alone
from lib.conf import ROOT

# Of a category, however many there are.
EVERY_LABEL = {"fontSize": 10, "interval": 0}
COSTS = ("its own", "broker", "clickhouse")


def drain(run: Run) -> list[Option]:
    """How fast each contender drains, and what that costs: the slowest first."""
    rates = {
        name: middle(of(drained(run, name), "rate")) or 0.0
        for name in run["drain"].get("contenders", {})
    }
    names = sorted(rates, key=rates.__getitem__)
    # One that is a hundred times slower would hide the costs of all others.
    shown = [name for name in names if 100 * rates[name] > max(rates.values())]
    return [
        bars(
            "Ticks a second",
            category(names),
            [("ticks a second", [rates[name] for name in names], None)],
        ),
        bars(
            "CPU-seconds per million ticks",
            category(shown),
            [(which, [cost(run, name, which) for name in shown], "all") for which in COSTS],
        ),
    ]


def category(names: list[str]) -> Option:
    """An axis with a label for each of these."""
    return {"type": "category", "data": names, "axisLabel": EVERY_LABEL}


def cost(run: Run, name: str, which: str) -> float | None:
    """The CPU-seconds per million of a server, or of the contender itself."""
    found = [one["cpu_per_million_s"] for one in drained(run, name)]
    values = [own(one) if which == COSTS[0] else one.get(which) for one in found]
    return middle(values)


def bars(title: str, y: Option, series: list[tuple[str, list[float | None], str | None]]) -> Option:
    """Bars from left to right; those of one stack follow each other."""
    data = [
        {"name": name, "type": "bar", "data": values, "stack": stack}
        for name, values, stack in series
    ]
    return chart(title, {"type": "value"}, y, data) | {
        "grid": {"left": 120, "right": 20, "top": 35, "bottom": 65}
    }


def latency(run: Run) -> list[Option]:
    """The quantiles of each contender by rate."""
    rates = [str(rate) for rate in run["latency"]["rates"]]
    return [
        by_category(
            f"From due to queryable, {quantile.removesuffix('_ms')}, ms (log scale)",
            ("ticks a second", [f"{int(rate):,}" for rate in rates]),
            {
                name: [quantiles(found, rate, quantile) for rate in rates]
                for name, found in run["latency"].get("contenders", {}).items()
            },
        )
        for quantile in ("p50_ms", "p99_ms")
    ]


def quantiles(found: list[Run], rate: str, quantile: str) -> tuple[str, float | None]:
    return f"{int(rate):,}", middle([one[rate][quantile] for one in found if rate in one])


def api(run: Run) -> list[Option]:
    """Each endpoint by the size of the table, and the answers a second by the number of clients."""
    found = run["api"]
    sizes = [str(millions) for millions in found["millions"]]
    clients = found.get("clients", {})
    return [
        by_category(
            "The median answer of the API, ms (log scale)",
            ("million rows", sizes),
            {
                name: [(size, one[size]["api_ms"]) for size in sizes if size in one]
                for name, one in found.get("endpoints", {}).items()
            },
        ),
        by_category(
            "Answers a second (log scale)",
            ("clients", [*clients]),
            {
                name: [(number, of_ways[way]["rate"]) for number, of_ways in clients.items()]
                for way, name in ASKED.items()
            },
        ),
    ]


def by_category(
    title: str, x: tuple[str, list[str]], series: dict[str, list[tuple[str, float | None]]]
) -> Option:
    """Lines with a mark at each point, over categories that have a name."""
    name, data = x
    return chart(
        title,
        {"type": "category", "name": name, "data": data},
        {"type": "log"},
        [line(each, points) | {"symbol": "circle"} for each, points in series.items()],
    )


def growth(run: Run) -> list[Option]:
    """The rate and the delay of each case."""
    cases = run["growth"].get("cases", {})
    y = category([*cases][::-1])
    found = [*cases.values()][::-1]
    delays = [one["latency"] for one in found]
    return [
        bars("Ticks a second", y, [("ticks a second", of(found, "rate"), None)]),
        bars(
            "From due to queryable, ms",
            y,
            [(q.removesuffix("_ms"), of(delays, q), None) for q in ("p50_ms", "p99_ms")],
        ),
    ]


CHARTS = {"drain": drain, "latency": latency, "api": api, "growth": growth}


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def main(file: Path) -> None:
    """Draw the run in FILE."""
    run = results.read(file)
    with results.explained(file):
        charts = {name: options(run) for name, options in CHARTS.items() if run.get(name)}
    if not charts:
        raise click.UsageError(f"{file} has no {', '.join(CHARTS)}: there is nothing to draw.")
    if is_alone(run):
        charts = {ALONE: charts["growth"]}
    for name, options in charts.items():
        draw(options, PICTURES / f"{name}.png")
        click.echo((PICTURES / f"{name}.png").relative_to(ROOT))


if __name__ == "__main__":
    main()
