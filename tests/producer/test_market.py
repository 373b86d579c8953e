"""The fake market: reproducible, finite, above 0, in cents, and calm."""

import math
from itertools import islice, pairwise
from random import Random
from statistics import median, stdev

from producer.market import HIGHEST, LOWEST, next_price, quotes, walk
from producer.tick import MAX_VOLUME

PRICES = {"AAPL": 190.0, "MSFT": 405.0, "PENNY": 0.01}


def test_the_same_seed_gives_the_same_walk() -> None:
    first, second, other = (list(islice(quotes(PRICES, seed), 300)) for seed in (7, 7, 8))
    assert first == second != other


def test_without_a_seed_each_walk_is_another() -> None:
    assert list(islice(quotes(PRICES, None), 9)) != list(islice(quotes(PRICES, None), 9))


def test_a_walk_does_not_depend_on_the_other_symbols() -> None:
    together = [quote for quote in islice(quotes(PRICES, 7), 300) if quote.symbol == "MSFT"]
    assert together == list(islice(quotes({"MSFT": 405.0}, 7), 100))


def test_symbols_take_turns() -> None:
    assert [quote.symbol for quote in islice(quotes(PRICES, 1), 6)] == [*PRICES, *PRICES]


def test_prices_are_cents_and_volumes_whole() -> None:
    for _, price, volume in islice(quotes(PRICES, 7), 30_000):
        assert LOWEST <= price == round(price, 2)
        assert isinstance(volume, int) and 1 <= volume <= MAX_VOLUME


def test_prices_stay_between_the_bounds() -> None:
    rng = Random(1)
    for start in (1e-300, 1e300):
        assert LOWEST <= next_price(start, rng) <= HIGHEST


def test_a_cheap_symbol_still_moves() -> None:
    assert len({quote.price for quote in islice(walk("A", 0.5, Random(1)), 20_000)}) > 1


def test_the_walk_is_calm_and_without_drift() -> None:
    prices = [quote.price for quote in islice(walk("A", 1000.0, Random(1)), 20_000)]
    steps = [math.log(b / a) for a, b in pairwise(prices)]
    assert 0.00019 < stdev(steps) < 0.00021
    assert abs(sum(steps)) < 4 * 0.0002 * math.sqrt(len(steps))


def test_volumes_look_like_trades() -> None:
    volumes = [quote.volume for quote in islice(walk("A", 100.0, Random(1)), 20_000)]
    assert 95 < median(volumes) < 106
    assert max(volumes) > 2_000
