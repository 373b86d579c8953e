"""`make test-sql`: the cases of the project pass, and each of its views and endpoints has one; a
changed view makes a case fail."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.e2e.support import ROOT, Ended, Place

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

CASES = ROOT / "tests" / "sql"
FLINK = ROOT / "sql" / "flink" / "stocks"
# Of an endpoint that streams, or that answers by the clock, tests/api has the tests.
LIVE = {"stream", "alert_stream", "health", "pipeline", "job_runs"}

# One change of each view: its file, what it had, and what it has instead.
CHANGES = [
    ("200_view_checked_ticks.sql", "BETWEEN 0 AND 4294967295", "BETWEEN 0 AND 4294967296"),
    ("200_view_checked_ticks.sql", "price AS price_text", "symbol AS price_text"),
    ("200_view_checked_ticks.sql", "event_time <= CURRENT", "event_time < CURRENT"),
    ("210_view_valid_ticks.sql", "WHERE reason IS NULL", ""),
    ("300_view_candles.sql", "SUBSTRING(MIN(traded), 29)", "SUBSTRING(MAX(traded), 29)"),
    ("300_view_candles.sql", "SUM(volume)", "MAX(volume)"),
    ("310_view_bars.sql", "MIN(price) AS low", "MAX(price) AS low"),
    ("320_view_histories.sql", "MAX(high) AS highest", "MAX(low) AS highest"),
    ("330_view_moves.sql", "MAX(high) OVER recent", "MAX(low) OVER recent"),
    ("340_view_extremes.sql", "high >= highest\n    OR", ""),
    ("400_view_price_falls.sql", "bottom.low <= top.high *", "bottom.high <= top.high *"),
    ("410_view_price_rises.sql", "top.high AS top_price", "bottom.high AS top_price"),
    ("420_view_reversals.sql", "'critical' AS severity", "'warning' AS severity"),
    ("430_view_volume_bursts.sql", "WHERE bursts = 1", ""),
    ("440_view_price_outliers.sql", "low < mean -", "low < mean +"),
    ("450_view_silences.sql", "seconds >= ${ALERTS_SILENCE}", "seconds > ${ALERTS_SILENCE}"),
    ("490_view_alerts.sql", "SELECT * FROM reversals\nUNION ALL\n", ""),
]


def run(folder: Path, *arguments: str, sql: Path = ROOT / "sql") -> Ended:
    place = Place(folder, {"MILLRACE_SQL_DIR": str(sql), "MILLRACE_DATA_DIR": str(folder / "var")})
    return place.run("jobs", "test-sql", *arguments, limit=1200)


def titles(junit: Path, kind: str = "testcase") -> set[str]:
    """The cases of a report, of a kind those that have such an element."""
    cases = ElementTree.parse(junit).iter("testcase")
    return {
        f"{case.attrib['classname']}/{case.attrib['name']}"
        for case in cases
        if kind == "testcase" or case.find(kind) is not None
    }


def test_each_view_and_endpoint_has_a_case_that_passes(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    ended = run(tmp_path, "--junit", str(junit))
    assert (ended.code, ended.err) == (0, ""), ended.out + ended.err
    cases = {f"{case.parent.parent.name}/{case.parent.name}" for case in CASES.glob("*/*/*.ndjson")}
    assert titles(junit) == cases and not titles(junit, "failure") | titles(junit, "error")
    assert ended.out.splitlines()[-1] == f"{len(cases)} passed, 0 failed"
    views = {file.stem.split("_view_")[1] for file in FLINK.glob("*_view_*.sql")}
    answers = {file.stem for file in (ROOT / "sql" / "api").glob("*.sql")} - LIVE
    subjects = {case.split("/")[0] for case in cases}
    assert subjects == views | {f"api_{name}" for name in answers}


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Path]:
    """A copy of sql/ in which one view after another is changed, as a job of its own."""
    sql = tmp_path / "sql"
    shutil.copytree(ROOT / "sql", sql)
    yield sql


def test_a_changed_view_makes_one_of_its_cases_fail(tmp_path: Path, changed: Path) -> None:
    cases = tmp_path / "cases"
    for number, (name, old, new) in enumerate(CHANGES):
        view, job = name[:-4].split("_view_")[1], f"changed_{number}"
        folder = changed / "flink" / job
        shutil.copytree(FLINK, folder)
        text = (folder / name).read_text()
        assert text.count(old) >= 1, (name, old)
        (folder / name).write_text(text.replace(old, new))
        for case in (CASES / view).iterdir():
            copy = shutil.copytree(case, cases / view / f"{number}_{case.name}")
            options = copy / "case.yaml"
            kept = options.read_text() if options.exists() else ""
            options.write_text(f"{kept}job: {job}\n")
    junit = tmp_path / "junit.xml"
    ended = run(tmp_path, "--folder", str(cases), "--junit", str(junit), sql=changed)
    assert ended.code == 1, ended.out + ended.err
    failed = {title.split("/")[1].split("_")[0] for title in titles(junit, "failure")}
    assert failed == {str(number) for number in range(len(CHANGES))}, ended.out


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The folder of one case, without the rows that it expects."""
    folder = tmp_path / "cases" / "valid_ticks" / "one"
    folder.mkdir(parents=True)
    tick = '{"symbol": "A", "price": 1.5, "volume": 2, "timestamp": "2024-01-30T10:00:00"}\n'
    (folder / "input.ndjson").write_text(tick)
    return folder


def test_a_case_without_rows_fails_until_it_is_updated(tmp_path: Path, case: Path) -> None:
    options = ("--folder", str(tmp_path / "cases"))
    assert (
        "expected.csv: not found; write it, or run the case with --update."
        in run(tmp_path, *options).out
    )
    assert run(tmp_path, *options, "--update").code == 0
    header, row = (case / "expected.csv").read_text().splitlines()
    assert header.startswith("symbol,price,") and row.startswith("A,1.5,")
    assert run(tmp_path, *options).code == 0
    (case / "expected.csv").write_text(f"{header}\n{row.replace('1.5', '1.6', 1)}\n")
    ended = run(tmp_path, *options)
    assert ended.code == 1
    differing = [line.strip()[:7] for line in ended.out.splitlines() if ",1." in line]
    assert differing == ["+ A,1.5", "- A,1.6"]


def test_only_the_columns_that_are_named_are_compared(tmp_path: Path, case: Path) -> None:
    for name, row in [
        ("same", '{"volume": 2, "symbol": "A"}'),
        ("other", '{"volume": 3, "symbol": "A"}'),
        ("unknown", '{"volumes": 2}'),
    ]:
        shutil.copytree(case, case.parent / name)
        (case.parent / name / "expected.ndjson").write_text(f"{row}\n")
    shutil.rmtree(case)
    options = ("--folder", str(tmp_path / "cases"))
    out = run(tmp_path, *options).out
    assert '+ {"volume": 2, "symbol": "A"}' in out and out.endswith("1 passed, 2 failed")
    assert "column volumes: did you mean volume?" in out
    run(tmp_path, *options, "--update")
    updated = case.parent / "other" / "expected.ndjson"
    assert updated.read_text() == '{"volume": 2, "symbol": "A"}\n'


def test_the_order_of_an_answer_and_the_settings_of_the_api_count(
    tmp_path: Path, case: Path
) -> None:
    tick = (case / "input.ndjson").read_text()
    (case / "input.ndjson").write_text(tick.replace("A", "a") + tick.replace("A", "b"))
    (case / "case.yaml").write_text(
        'settings: {TICKS_SYMBOL_PATTERN: "[ab]"}\nendpoint: /api/latest?symbols=a,b\n'
    )
    (case / "expected.csv").write_text("symbol\na\nb\n")
    # The same request of other rows, which is no answer from a cache.
    other = Path(shutil.copytree(case, case.parent / "other"))
    (other / "input.ndjson").write_text(tick.replace("A", "b"))
    (other / "expected.csv").write_text("symbol\nb\n")
    turned = Path(shutil.copytree(case, case.parent / "turned"))
    (turned / "expected.csv").write_text("symbol\nb\na\n")
    ended = run(tmp_path, "--folder", str(tmp_path / "cases"))
    assert ended.out.endswith("2 passed, 1 failed"), ended.out + ended.err
    assert "+ a  (another order)" in ended.out


def test_a_case_that_does_not_end_fails_and_leaves_its_logs(
    tmp_path: Path, case: Path, changed: Path
) -> None:
    (changed / "flink" / "stocks" / "110_source_endless.sql").write_text(
        "-- One.\nCREATE TEMPORARY TABLE endless (number INT) WITH ('connector' = 'datagen')\n"
    )
    (changed / "flink" / "stocks" / "220_view_numbers.sql").write_text(
        "-- One.\nCREATE TEMPORARY VIEW numbers AS SELECT number FROM endless\n"
    )
    endless = tmp_path / "cases" / "numbers" / "all"
    endless.mkdir(parents=True)
    (case / "input.ndjson").rename(case / "raw_ticks.ndjson")
    (endless / "raw_ticks.ndjson").touch()
    (case / "expected.csv").write_text("symbol\nA\n")
    (endless / "expected.csv").write_text("number\n")
    options = ("--folder", str(tmp_path / "cases"), "--limit", "20")
    ended = run(tmp_path, *options, sql=changed)
    assert ended.out.endswith("1 passed, 1 failed"), ended.out + ended.err
    assert "did not end within 20 s; give each source that is not Kafka an end" in ended.out
    assert [*(tmp_path / "var" / "log" / "test-sql").glob("flink-*.log")]


@pytest.mark.parametrize(
    ("file", "text", "fact"),
    [
        ("case.yaml", "jobs: stocks\n", "case.yaml: Object contains unknown field `jobs`; fix it."),
        ("case.yaml", "job: [\n", "case.yaml: while parsing a flow node"),
        (
            "input.ndjson",
            '{"@value": 1, "@partition": 3}\n',
            "input.ndjson:1: @partition 3: the topic has 1; ",
        ),
        (
            "input.ndjson",
            '{"@timestamp": "noon"}\n',
            "input.ndjson:1: @timestamp 'noon' is not a time; ",
        ),
    ],
)
def test_a_wrong_case_is_one_line(
    tmp_path: Path, case: Path, file: str, text: str, fact: str
) -> None:
    (case / file).write_text(text)
    assert fact in run(tmp_path, "--folder", str(tmp_path / "cases")).error


def test_a_wrong_name_is_one_line(tmp_path: Path, case: Path) -> None:
    options = ("--folder", str(tmp_path / "cases"))
    assert "did you mean valid_ticks?" in run(tmp_path, *options, "valid_tick").error
    assert "no such folder; " in run(tmp_path, "--folder", str(tmp_path / "none")).error
