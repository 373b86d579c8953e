"""The schedule of a round: the same for a seed, and every fault within thirty."""

from math import inf

from tests.chaos.schedule import FILLS, JOB, OTHERS, schedule


def test_a_schedule_depends_on_its_seed_alone() -> None:
    assert [schedule(seed) for seed in range(100)] == [schedule(seed) for seed in range(100)]
    assert schedule(1) != schedule(2)


def test_thirty_seeds_have_every_fault_alone_and_during_another() -> None:
    plans = [schedule(seed) for seed in range(1, 31)]
    faults = [(fault.action, fault.target) for plan in plans for fault in plan]
    assert {*faults} == {*JOB, *OTHERS, *FILLS}
    assert {len({*plan}) for plan in plans} == {3}
    doubles = [fault for plan in plans for fault in plan if fault.is_second]
    assert len(doubles) >= 8 and not any(plan[0].is_second for plan in plans)
    assert sum(fault.seconds == inf for plan in plans for fault in plan) == 3


def test_each_round_has_one_fault_of_the_job_and_ends() -> None:
    for seed in range(300):
        plan = schedule(seed)
        assert sum((fault.action, fault.target) in JOB for fault in plan) == 1
        assert sum(f.pause + f.seconds for f in plan if f.seconds < inf) < 50


def test_no_file_system_is_full_on_a_machine_that_lets_none_be_mounted() -> None:
    plans = [schedule(seed, fills=False) for seed in range(300)]
    assert not any(fault.action == "fill" for plan in plans for fault in plan)
