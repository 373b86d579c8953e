"""Schemathesis, with all checks, on the OpenAPI description of the running API."""

import subprocess
import sys
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from tests.api.alerts import add_alert
from tests.api.dead_letters import add_dead_letter
from tests.api.support import Api, insert

# A cursor is opaque: no schema can describe the valid ones.
CONFIG = """
[[operations]]
include-path = "{path}"
parameters = {{ cursor = "{cursor}" }}
"""
PAGED = {
    "/api/recent": {"limit": "5"},
    "/api/candles": {"limit": "1", "symbols": "A"},
    "/api/job_runs": {"limit": "1"},
    "/api/dead_letters": {"limit": "1"},
    "/api/dead_letter_reasons": {"limit": "1"},
    "/api/alerts": {"limit": "1"},
}
RUNS = (
    "INSERT INTO stocks.job_runs (run_id, job, started_at, status)"
    " SELECT generateUUIDv4(), 'ticks', now64(3), 'stopped' FROM numbers(3)"
)


@pytest.mark.timeout(900)
def test_schemathesis_finds_nothing(api: Api, tables: Client, tmp_path: Path) -> None:
    insert(tables, [("A", n, 1, n, n) for n in range(1, 200)])
    tables.command(RUNS)
    for number in range(3):
        add_alert(tables, number)
    for offset, reason in enumerate(["no JSON", "price: 0 is not above 0"]):
        add_dead_letter(tables, offset, reason)
    cursors = {path: api.get(path, params=given).json()["next"] for path, given in PAGED.items()}
    config = (CONFIG.format(path=path, cursor=cursor) for path, cursor in cursors.items())
    (tmp_path / "schemathesis.toml").write_text("".join(config))
    address = f"http://127.0.0.1:{api.port}/openapi.json"
    options = [
        "--exclude-path",
        "/api/stream",
        "--checks",
        "all",
        "--max-examples",
        "20",
        "--seed",
        "1",
        "--no-color",
        # Slow generation of examples is not a fault of the API.
        "--suppress-health-check",
        "too_slow",
    ]
    ended = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", address, *options],
        cwd=tmp_path, capture_output=True, text=True, timeout=870,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr
    assert "Traceback" not in api.log_text()
