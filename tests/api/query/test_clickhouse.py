"""ClickHouse that is unavailable, slow, or fails."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.api.support import Api
from tests.conftest import Server, wait_until


def test_a_killed_clickhouse_is_503_until_it_is_back(pair: tuple[Server, Api]) -> None:
    server, api = pair
    ended = threading.Event()
    answers: list[httpx.Response] = []

    def load() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{api.port}", timeout=90) as client:
            while not ended.is_set():
                answers.append(client.get("/api/latest"))

    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load) for _ in range(4)]
        try:
            wait_until(lambda: len(answers) > 8)
            server.kill()
            wait_until(lambda: api.get("/api/latest").status_code == 503)
            down = api.get("/health")
            assert (down.status_code, down.json()["clickhouse"]) == (503, "down")
            assert api.get("/openapi.json").status_code == 200
            server.start()
            wait_until(lambda: api.get("/api/latest").status_code == 200, 5)
            assert api.rows("/api/latest")[0]["symbol"] == "A"
        finally:
            ended.set()
        for one in loads:
            one.result()
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.status_code for answer in refused} == {503}
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert "Traceback" not in api.log_text()


def test_an_answer_that_takes_too_long_is_504(make_api: Callable[..., Api]) -> None:
    api = make_api(api__timeout=1)
    # ClickHouse's own limit is 10 s.
    slow = "SELECT sum(sleepEachRow(0.00004)) AS zero FROM numbers(1500000)"
    (api.sql / "slow.sql").write_text(f"-- One row, too late.\n{slow}")
    api.start()
    answer = api.get("/api/slow")
    # The API's own timeout; the reader's limit has another message.
    detail = "ClickHouse has no answer in time; ask for less."
    assert (answer.status_code, answer.json()["detail"]) == (504, detail)


def test_a_failed_query_reveals_no_sql(make_api: Callable[..., Api]) -> None:
    api = make_api()
    (api.sql / "broken.sql").write_text(
        "-- One row, never.\nSELECT throwIf(number = 0, 'secret') AS zero FROM numbers(1)"
    )
    # The exception comes after the response has begun.
    (api.sql / "late.sql").write_text(
        "-- One row of many.\nSELECT throwIf(number = 150000, 'secret') AS z FROM numbers(200000)"
    )
    api.start()
    for name in ("broken", "late"):
        answer = api.get(f"/api/{name}")
        assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert "broken.sql" in api.log_text()
    assert "Traceback" not in api.log_text()
