import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from jobs.marks import Owners, Progress, Superseded
from lib.errors import SinkError


def rows(*pairs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    partitions, offsets = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return partitions, offsets


def test_rows_at_or_below_the_mark_are_not_new() -> None:
    progress = Progress(marks={0: 5, 2: 1})
    new = progress.receive(*rows((0, 4), (1, 0), (0, 5), (2, 1), (0, 6), (2, 9)))
    assert new.tolist() == [False, True, False, False, True, True]
    assert progress.seen == {0: 6, 1: 0, 2: 9}
    assert progress.marks == {0: 5, 2: 1}


def test_gaps_are_allowed_and_batches_go_on_where_the_last_ended() -> None:
    progress = Progress()
    assert progress.receive(*rows((0, 3), (0, 10))).all()
    assert progress.receive(*rows((0, 11))).all()


def test_an_empty_batch_changes_nothing() -> None:
    progress = Progress()
    assert progress.receive(*rows()).tolist() == []
    assert progress.seen == {}


SEVERAL = "one record became several rows, which one offset cannot tell apart; "


@pytest.mark.parametrize(
    ("first", "second", "fact"),
    [
        ([], [(0, 1), (0, 1)], f"partition 0, offset 1: {SEVERAL}"),
        # The same where a batch ends between the two rows.
        ([(0, 5)], [(0, 5)], f"partition 0, offset 5: {SEVERAL}"),
        ([(0, 5), (1, 7)], [(0, 6), (1, 7), (1, 8)], f"partition 1, offset 7: {SEVERAL}"),
        ([], [(0, 2), (1, 5), (0, 1)], "partition 0, offset 1: came after offset 2; if the topic"),
        ([(0, 5)], [(1, 9), (0, 4)], "partition 0, offset 4: came after offset 5; if the topic"),
    ],
)
def test_an_offset_that_does_not_rise_is_refused(first: list, second: list, fact: str) -> None:
    progress = Progress()
    progress.receive(*rows(*first))
    with pytest.raises(SinkError) as error:
        progress.receive(*rows(*second))
    assert str(error.value).startswith(fact)


def test_storing_moves_the_marks_of_its_partitions_only() -> None:
    progress = Progress(marks={3: 30})
    progress.store(*rows((0, 1), (1, 8), (0, 2)))
    assert progress.marks == {0: 2, 1: 8, 3: 30}
    progress.store(*rows())
    assert progress.marks == {0: 2, 1: 8, 3: 30}


def test_only_the_owner_may_store_and_each_writer_has_its_own() -> None:
    owners, old, new = Owners(), object(), object()
    with pytest.raises(Superseded), owners.holding("w", [0], old):
        pass
    owners.claim("w", [0, 1], old)
    owners.claim("other", [0], new)
    with owners.holding("w", [1, 0], old):
        pass
    owners.claim("w", [1], new)
    with owners.holding("w", [0], old):
        pass
    refusal = pytest.raises(Superseded, match="w: partition 1 has a newer owner")
    with refusal, owners.holding("w", [0, 1], old):
        pytest.fail("entered")
    # Nothing stays locked after a refusal.
    owners.claim("w", [0, 1], new)


def test_a_claim_waits_for_the_insert_that_runs() -> None:
    owners, old, new = Owners(), object(), object()
    owners.claim("w", [0], old)
    events = []
    inside, end = threading.Event(), threading.Event()

    def insert() -> None:
        with owners.holding("w", [0], old):
            inside.set()
            end.wait(90)
            events.append("insert ended")

    def claim() -> None:
        owners.claim("w", [0], new)
        events.append("claimed")

    threads = [threading.Thread(target=insert)]
    threads[0].start()
    assert inside.wait(90)
    threads.append(threading.Thread(target=claim))
    threads[1].start()
    time.sleep(0.05)
    assert events == []
    end.set()
    for thread in threads:
        thread.join()
    assert events == ["insert ended", "claimed"]


def test_attempts_that_hold_and_claim_in_any_order_never_block_each_other() -> None:
    owners = Owners()

    def live(seed: int) -> None:
        me, random = object(), np.random.default_rng(seed)
        for _ in range(300):
            partitions = random.permutation(6)[:4].tolist()
            owners.claim("w", partitions, me)
            with suppress(Superseded), owners.holding("w", partitions, me):
                pass

    threads = [threading.Thread(target=live, args=(seed,), daemon=True) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(25)
    assert not any(thread.is_alive() for thread in threads)
