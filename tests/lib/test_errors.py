import pytest

from lib import errors
from lib.errors import MillraceError, RestartError, SinkError, exit_on_error, one_line


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    kinds = [kind for name, kind in vars(errors).items() if name.endswith("Error")]
    assert len(kinds) > 5
    for kind in kinds:
        assert issubclass(kind, MillraceError) and kind.__name__ in (errors.__doc__ or "")


def test_any_text_becomes_one_line() -> None:
    assert one_line(" a\r\n\tb  c\n") == "a b c"
    assert one_line(ValueError("x\ny")) == "x y"


def test_an_error_that_a_user_can_fix_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end, exit_on_error():
        raise SinkError("place: fact;\nremedy.")
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "place: fact; remedy.\n")


def test_several_problems_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    error = SinkError("a: fact;\nremedy.", "b: fact; remedy.")
    assert str(error) == "a: fact;\nremedy. b: fact; remedy."
    with pytest.raises(SystemExit), exit_on_error():
        raise error
    assert capsys.readouterr().err == "a: fact; remedy.\nb: fact; remedy.\n"


def test_a_restart_error_has_a_status_of_its_own() -> None:
    with pytest.raises(SystemExit) as end, exit_on_error():
        raise RestartError("Java ended; the job goes on when it is run again.")
    assert end.value.code == 75


def test_a_bug_keeps_its_traceback_and_success_passes() -> None:
    with pytest.raises(ZeroDivisionError), exit_on_error():
        raise ZeroDivisionError

    @exit_on_error()
    def main(value: int) -> int:
        return value

    assert (main(1), main(2)) == (1, 2)
