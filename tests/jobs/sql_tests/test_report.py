"""What is printed of the cases."""

from jobs.sql_tests import report
from jobs.sql_tests.report import Result


def test_a_case_that_is_updated_has_not_passed() -> None:
    passed, failed = Result("a/b", "", 1.0), Result("a/c", "", 1.0, difference=["+ 1"])
    updated = Result("a/d", "", 1.0, is_updated=True)
    assert report.summary([passed, failed]) == "1 passed, 1 failed"
    assert report.summary([updated]) == "1 updated"
    assert report.summary([passed, updated]) == "1 passed, 0 failed, 1 updated"
    assert report.summary([]) == "0 passed, 0 failed"
