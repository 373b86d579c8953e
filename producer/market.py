"""A fake market: one seeded random walk per symbol. No clock, no I/O."""

import math
from collections.abc import Iterator, Mapping
from random import Random, SystemRandom
from typing import NamedTuple

START_PRICE = 100.0

# Two cents of a 100-dollar share from one trade to the next, about 0.15 % over a minute of them.
VOLATILITY = 0.0002
# Lognormal, like real trades: the median is 100 shares, one trade in a thousand has over 2,000.
MEDIAN_VOLUME, VOLUME_SPREAD = 100.0, 1.0
# Far beyond any share, near enough that cents stay exact in a float.
LOWEST, HIGHEST = 0.01, 1e9


class Quote(NamedTuple):
    """A trade of the fake market before it has a time."""

    symbol: str
    price: float
    volume: int


def next_price(price: float, rng: Random) -> float:
    """One step of a geometric walk, without drift, between the lowest and the highest price."""
    step = math.exp(rng.gauss(-(VOLATILITY**2) / 2, VOLATILITY))
    return min(max(price * step, LOWEST), HIGHEST)


def next_volume(rng: Random) -> int:
    return 1 + int(MEDIAN_VOLUME * math.exp(rng.gauss(0.0, VOLUME_SPREAD)))


def walk(symbol: str, price: float, rng: Random) -> Iterator[Quote]:
    """Trades of one symbol for ever; the walk keeps fractions of a cent, a trade does not."""
    while True:
        price = next_price(price, rng)
        yield Quote(symbol, round(price, 2), next_volume(rng))


def quotes(prices: Mapping[str, float], seed: int | None) -> Iterator[Quote]:
    """Trades of all symbols in turn; a symbol's walk depends only on the seed and its name."""
    seed = SystemRandom().getrandbits(64) if seed is None else seed
    walks = [walk(symbol, price, Random(f"{seed}:{symbol}")) for symbol, price in prices.items()]
    while True:
        for trades in walks:
            yield next(trades)
