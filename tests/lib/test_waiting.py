import pytest

from lib import waiting
from lib.errors import ServiceError, UnavailableError
from lib.waiting import until
from tests.conftest import FakeTime


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def test_the_first_true_answer_is_returned(clock: FakeTime) -> None:
    answers = iter([0, None, 7, 8])
    assert until(lambda: next(answers), 10, pause=0.5) == 7
    assert clock.now == 1.0


def test_the_last_answer_is_returned_when_time_is_up(clock: FakeTime) -> None:
    assert until(lambda: clock.now > 5, 1, pause=0.75) is False
    assert clock.now == 1.5


def test_an_unavailable_service_is_asked_again(clock: FakeTime) -> None:
    pauses: list[float] = []

    def ask() -> str:
        if clock.now < 1:
            raise UnavailableError("no answer")
        return "here"

    assert until(ask, 10, pause=0.5, waiting=lambda: pauses.append(clock.now)) == "here"
    assert pauses == [0.0, 0.5]


@pytest.mark.parametrize(
    ("retry_on", "error", "seconds"),
    [
        (UnavailableError, UnavailableError, 2.0),
        (UnavailableError, ServiceError, 0.0),
        (ServiceError, ServiceError, 2.0),
        (ServiceError, OSError, 0.0),
    ],
)
def test_an_error_is_raised_when_time_is_up_and_another_one_at_once(
    clock: FakeTime, retry_on: type[ServiceError], error: type[Exception], seconds: float
) -> None:
    def ask() -> None:
        raise error

    with pytest.raises(error):
        until(ask, 1.5, pause=1.0, retry_on=retry_on)
    assert clock.now == seconds
