"""`python -m producer`: send stock ticks to Kafka until it is stopped or all are sent."""

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import click

from lib import conf, settings
from lib.errors import ServiceError, exit_on_error
from producer import market, progress, replay, sources
from producer.clock import Clock
from producer.counts import Counts
from producer.options import Options
from producer.sender import Sender, connect
from producer.tick import Tick


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rate", type=float, help="Ticks per symbol and second. [default: producer.rate]")
@click.option("--count", type=click.IntRange(min=1), help="Stop after this many ticks in all.")
@click.option("--seed", type=int, help="Same seed, same prices and volumes. [producer.seed]")
@click.option("--symbols", metavar="A,B,...", help="The symbols. [default: producer.symbols]")
@click.option(
    "--replay",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=f"Send a recording's ticks instead: {replay.ENDINGS}, "
    "with the columns symbol, price, volume, timestamp.",
)
@click.option("--speed", metavar="N|max", help="Replay N times as fast. [default: 1]")
@click.option("--skip-invalid", is_flag=True, help="Skip and count invalid rows.")
@click.option("--verbose", is_flag=True, help="Show the log of Kafka's client, too.")
def main(verbose: bool, **values: object) -> None:
    """Send stock ticks to the Kafka topic: a fake market, or a recording replayed.

    Defaults are in conf/millrace.yaml. Ctrl-C or SIGTERM stops it, after Kafka has acknowledged
    the ticks sent so far. While Kafka is unavailable, it waits.

    \b
    python -m producer --rate 100 --symbols AAPL,MSFT
    python -m producer --count 1000 --seed 7
    python -m producer --replay ticks.csv.gz --speed 10

    Exit status: 0 if every tick sent is acknowledged, 1 if not, 2 for an error that you can fix.
    """
    clock = Clock()
    clock.listen()
    progress.log_client(verbose)
    with exit_on_error():
        sys.exit(run(Options(**values), conf.load(), clock))  # type: ignore[arg-type]


def run(options: Options, config: settings.Settings, clock: Clock) -> int:
    """Check the options first, then send the ticks; return the exit status."""
    options.check()
    recording = replay.open_recording(options.replay) if options.replay else None
    if recording:
        speed = options.replay_speed()
        recorded = recording.ticks(config.ticks.symbol_pattern, options.skip_invalid)
        ticks = sources.replayed(recorded, speed, clock)
    else:
        ticks = _market(options, config, clock)
    sender = connect(config.kafka, clock, progress.say)
    if sender is None:
        progress.say("stopped before Kafka answered: sent 0 ticks.")
        return 0
    try:
        with progress.shown(
            sender.counts,
            config.kafka.bootstrap_servers,
            _fraction(options, recording, sender.counts),
        ):
            _send(islice(ticks, options.count), sender, clock)
    finally:
        sender.close()
        print(_summary(sender.counts, recording if options.skip_invalid else None), flush=True)
    return _status(sender.counts, config.kafka)


def _market(options: Options, config: settings.Settings, clock: Clock) -> Iterator[Tick]:
    known, pattern = config.producer.symbols, config.ticks.symbol_pattern
    prices = options.prices(known, pattern)
    rate = options.ticks_per_second(config.producer.rate) * len(prices)
    seed = config.producer.seed if options.seed is None else options.seed
    return sources.live(market.quotes(prices, seed), rate, clock)


def _send(ticks: Iterable[Tick], sender: Sender, clock: Clock) -> None:
    """Send until the ticks end, a signal comes or one fails; then wait for every outcome."""
    try:
        for tick in ticks:
            sender.send(tick)
            if clock.stopped or sender.counts.failed:
                break
    except ServiceError:
        # The topic is gone, and outcomes may never arrive: wait no longer than after a signal.
        clock.stop()
        raise
    finally:
        sender.settle()


def _fraction(
    options: Options, recording: replay.Recording | None, counts: Counts
) -> progress.Fraction | None:
    """How much is done; None if the length is not known."""
    if options.count is None and recording is None:
        return None
    return lambda: max(
        counts.sent / options.count if options.count else 0.0,
        recording.position.fraction if recording else 0.0,
    )


def _summary(counts: Counts, recording: replay.Recording | None) -> str:
    skipped = f", {recording.skipped:,} invalid rows skipped" if recording else ""
    return counts.summary() + skipped


def _status(counts: Counts, kafka: settings.Kafka) -> int:
    if not counts.missing:
        return 0
    reason = counts.error or "no answer in time"
    progress.say(
        f"{kafka.bootstrap_servers}: {counts.missing:,} ticks are not acknowledged ({reason}); "
        f"each may be in {kafka.topic} or not."
    )
    return 1


if __name__ == "__main__":
    main()
