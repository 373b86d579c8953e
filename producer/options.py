"""The options of the command line, and their checks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.errors import SettingsError
from lib.pattern import Pattern
from producer.market import START_PRICE


@dataclass(frozen=True, slots=True)
class Options:
    """The options; None for one that was not given."""

    rate: float | None = None
    count: int | None = None
    seed: int | None = None
    symbols: str | None = None
    replay: Path | None = None
    speed: str | None = None
    skip_invalid: bool = False

    def check(self) -> None:
        """Raise SettingsError for an option that would have no effect."""
        live = {"--rate": self.rate, "--seed": self.seed, "--symbols": self.symbols}
        recorded = {"--speed": self.speed, "--skip-invalid": self.skip_invalid or None}
        wrong, remedy = (live, "leave it out") if self.replay else (recorded, "add --replay FILE")
        kind = "a recording" if self.replay else "the fake market"
        for name, value in wrong.items():
            if value is not None:
                raise SettingsError(f"{name}: has no effect on {kind}; {remedy}.")

    def prices(self, known: Mapping[str, float], pattern: Pattern) -> dict[str, float]:
        """The start price of each given symbol, or of all in the settings."""
        symbols, place = list(known), "conf/millrace.yaml: producer.symbols"
        if self.symbols is not None:
            symbols, place = [name.strip() for name in self.symbols.split(",")], "--symbols"
        for symbol in symbols or [""]:
            if not pattern.matches(symbol):
                fact = f"{symbol!r} does not match {pattern}"
                raise SettingsError(f"{place}: {fact}; rename it, or change ticks.symbol_pattern.")
        return {symbol: known.get(symbol, START_PRICE) for symbol in symbols}

    def ticks_per_second(self, default: float) -> float:
        """The rate of one symbol."""
        rate = default if self.rate is None else self.rate
        if 0 < rate < math.inf:
            return rate
        raise SettingsError(f"--rate: {rate} is not a rate; give a number above 0.")

    def replay_speed(self) -> float | None:
        """How many times faster than recorded; None is as fast as possible."""
        if self.speed == "max":
            return None
        try:
            speed = 1.0 if self.speed is None else float(self.speed)
        except ValueError:
            speed = math.nan
        if 0 < speed < math.inf:
            return speed
        raise SettingsError(
            f"--speed: {self.speed!r} is not a speed; give a number above 0, or max."
        )
