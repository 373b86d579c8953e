import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from jobs.sink.fencing import FencedError, PartitionFence


def test_only_the_owner_may_store_and_each_writer_has_its_own() -> None:
    fence, old, new = PartitionFence(), object(), object()
    with pytest.raises(FencedError), fence.held("w", [0], old):
        pass
    fence.claim("w", [0, 1], old)
    fence.claim("other", [0], new)
    with fence.held("w", [1, 0], old):
        pass
    fence.claim("w", [1], new)
    with fence.held("w", [0], old):
        pass
    refusal = pytest.raises(FencedError, match="w: partition 1 has a newer owner")
    with refusal, fence.held("w", [0, 1], old):
        pytest.fail("entered")
    # Nothing stays locked after a refusal.
    fence.claim("w", [0, 1], new)


def test_a_claim_waits_for_the_insert_that_runs() -> None:
    fence, old, new = PartitionFence(), object(), object()
    fence.claim("w", [0], old)
    events = []
    inside, end = threading.Event(), threading.Event()

    def insert() -> None:
        with fence.held("w", [0], old):
            inside.set()
            end.wait(90)
            events.append("insert ended")

    def claim() -> None:
        fence.claim("w", [0], new)
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
    fence = PartitionFence()

    def live(seed: int) -> None:
        me, random = object(), np.random.default_rng(seed)
        for _ in range(300):
            partitions = random.permutation(6)[:4].tolist()
            fence.claim("w", partitions, me)
            with suppress(FencedError), fence.held("w", partitions, me):
                pass

    threads = [threading.Thread(target=live, args=(seed,), daemon=True) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(25)
    assert not any(thread.is_alive() for thread in threads)
