"""The rules of the house that a machine can check."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from lib import conf, sql_variables, sqlfiles
from lib.install import packages

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = {"producer", "jobs", "api", "local"}
PACKAGES = sorted({"lib", *PROGRAMS})
ONLY_IN = {
    "pyflink": {"jobs"},
    "litestar": {"api"},
    "chdb": {"local"},
    "supervisor": {"local"},
    # A replay sends dead letters.
    "kafka.KafkaProducer": {"producer", "jobs"},
}
# From the inside out: each room imports itself and those before it.
ROOMS = {
    "api": ["problems", "contract", "query", "events", "webhooks", "http", "app", "__main__"],
    "jobs": [
        "targets", "sink", "flink", "kafka", "job", "accounting", "plan", "run", "dead_letters",
        "sql_tests", "backtest", "backup", "doctor", "__main__",
    ],
    "local": [
        "clickhouse", "child", "kafka", "class_data", "logs", "supervisord_conf", "supervisor",
        "stack", "demo", "__main__",
    ],
    "local/clickhouse": [
        "errors", "formats", "engine", "access", "request", "execution", "http", "__main__",
    ],
}  # fmt: skip
# Names that open a file, as functions or methods.
OPENERS = {
    "open", "fdopen", "openInputStream", "read_text", "read_bytes", "FileIO", "FileInput",
    "ZipFile", "TarFile", "ParquetFile", "copyfile", "copytree", "copy2",
}  # fmt: skip
# The only files of the programs that open files, and what those are.
OPENED = {
    "api/http/assets.py": "the JARs of third-party scripts",
    "api/webhooks/delivery.py": "how far a webhook has received a stream",
    "api/http/static_files.py": "the pages in api/static",
    "jobs/backup/manifest.py": "the files of a backup",
    "jobs/backup/states.py": "Flink's saved state, to copy it",
    "jobs/doctor/machine.py": "what the system says of its memory",
    "jobs/flink/gateway.py": "the port that the JVM reports",
    "jobs/flink/idle_partitions.py": "the Java source beside it, and the JAR that it makes",
    "jobs/kafka/deleted_records.py": "Flink's log",
    "jobs/kafka/saved_offsets.py": "Flink's saved state, and its summary",
    "jobs/kafka/topics.py": "the ids of the topics, in the job's state",
    "jobs/sql_tests/cases.py": "the records of a case",
    "jobs/sql_tests/command.py": "the logs that it keeps",
    "jobs/sql_tests/rows.py": "the rows that a case expects",
    "jobs/run/runner.py": "the log of the Python workers",
    "local/child.py": "the times of a program's starts",
    "local/clickhouse/engine/infile.py": "a file in memory, for an insert",
    "local/clickhouse/engine/handle.py": "nothing: `read_bytes` is a counter there",
    "local/clickhouse/http/server.py": "the lock of the data folder",
    "local/logs.py": "the logs that the demo shows",
    "local/stack.py": "the last line of a log",
    "local/supervisor.py": "the configuration that it writes for supervisord",
    "producer/replay.py": "the recording that a user names",
}
README_TARGETS = ["demo", "up", "down", "status", "produce", "run-job", "stop-job", "test"]
SQL_FOLDERS = sorted({file.parent for file in (ROOT / "sql").rglob("[0-9]*.sql")})
# A folder of one person's machine, in a file that all have.
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:home|root|Users|work|mnt)/\w")


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(file: Path) -> Iterator[str]:
    """Each imported name, dotted: `from a.b import c` is a.b.c."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(file: Path, package: str) -> str:
    """The first folder below the package that the file is in; at its top, the module itself."""
    return file.relative_to(ROOT / package).with_suffix("").parts[0]


def makefile_targets() -> dict[str, str]:
    """Each target and the rest of its line."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", text, re.MULTILINE))


@pytest.mark.parametrize("package", PACKAGES)
def test_programs_never_import_each_other_and_lib_imports_none(package: str) -> None:
    forbidden = PROGRAMS - {package}
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in sources(package)
        for name in imports(file)
        if name.split(".")[0] in forbidden
    ]
    assert wrong == []


def test_a_run_needs_no_tool() -> None:
    """`make setup` installs what the programs import; the tools come with `make tools`."""
    names = {name.split(".")[0] for p in PACKAGES for file in sources(p) for name in imports(file)}
    providers = packages_distributions()
    pinned = {
        re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower()
        for line in packages.pinned(tools=False).splitlines()
    }
    needed = {name: providers[name] for name in names & providers.keys()}
    wrong = {
        name: dists
        for name, dists in needed.items()
        if not {re.sub(r"[-_.]+", "-", dist).lower() for dist in dists} & pinned
    }
    assert wrong == {}


def test_only_make_and_the_installer_of_peers_call_the_installer() -> None:
    callers = [ROOT / "lib" / "install", ROOT / "bench" / "peers" / "install.py"]
    # It compares what is installed with what should be.
    callers.append(ROOT / "jobs" / "doctor" / "machine.py")
    wrong = [
        f"{file.relative_to(ROOT)}: {name}"
        for package in [*PACKAGES, "bench", "docs"]
        for file in sources(package)
        if not any(file.is_relative_to(caller) for caller in callers)
        for name in imports(file)
        if f"{name}.".startswith("lib.install.")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ROOMS)
def test_imports_between_the_rooms_of_a_package_run_one_way(package: str) -> None:
    rooms, prefix = ROOMS[package], package.replace("/", ".") + "."
    wrong = []
    for file in sources(package):
        room = room_of(file, package)
        for name in imports(file):
            inside = name.removeprefix(prefix).split(".")[0]
            if name.startswith(prefix) and rooms.index(inside) > rooms.index(room):
                wrong.append(f"{file.relative_to(ROOT)}: {name}")
    assert wrong == []


@pytest.mark.parametrize("package", ROOMS)
def test_each_module_is_in_a_room(package: str) -> None:
    outside = {room_of(file, package) for file in sources(package)} - {*ROOMS[package], "__init__"}
    assert outside == set()


@pytest.mark.parametrize(("name", "homes"), ONLY_IN.items())
def test_each_engine_has_one_importer(name: str, homes: set[str]) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: {found}"
        for package in set(PACKAGES) - homes
        for file in sources(package)
        for found in imports(file)
        if f"{found}.".startswith(f"{name}.")
    ]
    assert wrong == []


@pytest.mark.parametrize("package", sorted(PROGRAMS))
def test_only_lib_knows_where_sql_and_conf_are(package: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for file in sources(package)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(sql|conf)(/[\w.-]+)*/?", node.value)
    ]
    assert wrong == []


def opened(tree: ast.AST) -> list[str]:
    """Each place that opens a file, called or passed on, with its line."""
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id in OPENERS)
        or (isinstance(node, ast.Attribute) and node.attr in OPENERS)
        if ast.unparse(node) != "webbrowser.open"
    ]


@pytest.mark.parametrize(
    "code",
    [
        "open(path)", "path.open()", "path.read_text()", "(folder / 'a.sql').read_bytes()",
        "gzip.open(path)", "os.open(path, 0)", "io.FileIO(path)", "map(Path.read_text, paths)",
        "read = open", "zipfile.ZipFile(path)", "shutil.copyfile(path, other)",
    ],
)  # fmt: skip
def test_each_way_to_open_a_file_is_found(code: str) -> None:
    assert len(opened(ast.parse(code))) == 1


def test_only_lib_opens_files_of_sql_and_conf() -> None:
    """A program opens only the files of the list, none of which is below sql/ or conf/."""
    places = {
        str(file.relative_to(ROOT)): opened(ast.parse(file.read_text(encoding="utf-8")))
        for package in sorted(PROGRAMS)
        for file in sources(package)
    }
    openers = {file: lines for file, lines in places.items() if lines}
    assert {file: openers[file] for file in openers.keys() - OPENED.keys()} == {}
    assert OPENED.keys() - openers.keys() == set(), "they open nothing any more"


@pytest.mark.parametrize("folder", SQL_FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_sql_file_keeps_the_contract_and_its_variables_are_settings(folder: Path) -> None:
    variables = conf.load(environ={}).variables()
    for file in sqlfiles.load(folder):
        sql_variables.substitute(file, variables)


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [file.number for file in sqlfiles.load(ROOT / "sql" / "clickhouse")]
    assert numbers == [*range(1, len(numbers) + 1)]


def test_the_view_jobs_alone_interprets_what_a_runner_reports() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in [*(ROOT / "sql" / "api").glob("*.sql"), *sources("api"), *sources("jobs")]
        for match in re.finditer(
            r"has_ended|is_heard AND|state (=|IN|!=) ?\(?'(?!LOST)",
            file.read_text(encoding="utf-8"),
        )
    ]
    assert wrong == []


def test_each_package_is_type_checked() -> None:
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["packages"]
    assert sorted(checked) == [name for name in PACKAGES if (ROOT / name / "__init__.py").exists()]


def test_each_setting_has_a_comment() -> None:
    """A comment speaks of the settings below it, up to the next comment, section or empty line."""
    lines = (ROOT / "conf" / "millrace.yaml").read_text(encoding="utf-8").splitlines()
    without, spoken_of = [], False
    for line in lines:
        if line.lstrip().startswith("#"):
            spoken_of = True
        elif not line or re.fullmatch(r"[a-z_]+:", line):
            spoken_of = False
        elif not spoken_of:
            without.append(line.strip())
    assert without == []


def test_each_make_target_says_what_it_does() -> None:
    assert [name for name, rest in makefile_targets().items() if "## " not in rest] == []


def test_each_make_target_is_phony() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert phony[1].split() == list(makefile_targets())


def test_make_lets_python_keep_its_byte_code() -> None:
    """Else each start of a program compiles all that it imports."""
    shown = subprocess.run(
        ["make", "--eval=show:; env", "show"],
        cwd=ROOT,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "PATH=" in shown and "PYTHONDONTWRITEBYTECODE" not in shown


def test_make_alone_lists_the_targets() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  ([a-z-]+) +\S", said, re.MULTILINE) == list(makefile_targets())


@pytest.mark.parametrize("target", README_TARGETS)
def test_the_readme_mentions_what_a_user_needs(target: str) -> None:
    assert f"make {target}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_documents_name_only_targets_that_exist() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: make {name}"
        for file in tracked()
        if file.suffix == ".md" and file.name != "CHANGELOG.md"
        for name in re.findall(r"(?:`|^ {4})make ([a-z-]+)", file.read_text(), re.MULTILINE)
        if name not in makefile_targets()
    ]
    assert wrong == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: {found[0]}"
        for file in tracked()
        for found in MACHINE_PATH.finditer(file.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert wrong == []


def tracked() -> list[Path]:
    """Every file that is committed, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if (ROOT / name).is_file()]
