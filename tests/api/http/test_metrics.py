"""Prometheus metrics of requests, followers and the parts of the pipeline."""

import re
from collections.abc import Callable

from clickhouse_connect.driver.client import Client

from api.http.metrics import label
from tests.api.job_status import report
from tests.api.support import Api, insert
from tests.conftest import wait_until


def test_metrics_contain_freshness_and_lag(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    report(tables)
    text = api.metrics()
    assert 'millrace_part_lag{part="job stocks"} 3.0' in text
    assert 'millrace_part_age_seconds{part="ticks"} ' in text


def test_a_followed_endpoint_is_measured_until_its_response_begins(
    make_api: Callable[..., Api], tables: Client
) -> None:
    api = make_api()
    api.start()

    def numbers(name: str) -> tuple[float, float]:
        text = api.get("/metrics").text
        matches = [
            re.search(
                rf'^millrace_api_request_seconds_{part}{{endpoint="{name}"}} (.+)$', text, re.M
            )
            for part in ("count", "sum")
        ]
        count, seconds = (float(match[1]) if match else 0.0 for match in matches)
        return count, seconds

    for name in ("stream", "latest"):
        headers = {"accept": "text/event-stream"}
        with api.client.stream("GET", f"/api/{name}", headers=headers) as answer:
            pieces = answer.iter_raw()
            assert next(pieces)
            begun = numbers(name)
            assert begun[0] == 1
            assert "millrace_api_followers 1.0" in api.get("/metrics").text
        wait_until(lambda: "millrace_api_followers 0.0" in api.get("/metrics").text)
        assert numbers(name) == begun
        assert f'requests_total{{endpoint="{name}",status="200"}} 1.0' in api.get("/metrics").text


def test_requests_are_counted_by_endpoint_and_status(api: Api, tables: Client) -> None:
    insert(tables, [("A", 1.0, 1, 0, 0)])
    api.get("/api/latest")
    api.get("/api/made_up_name")
    text = api.metrics()
    assert 'millrace_api_requests_total{endpoint="latest",status="200"}' in text
    assert 'endpoint="other",status="404"' in text
    assert "made_up_name" not in text
    assert 'millrace_part_age_seconds{part="ticks"}' in text
    assert "millrace_clickhouse_up 1.0" in text


def test_the_content_type_has_one_charset(api: Api) -> None:
    content_type = api.get("/metrics").headers["content-type"]
    assert content_type == "text/plain; version=1.0.0; charset=utf-8"


def test_pages_share_few_labels(api: Api) -> None:
    api.get("/docs")
    api.get("/static/none.js")
    api.get("/assets/none.js")
    text = api.get("/metrics").text
    assert 'millrace_api_requests_total{endpoint="docs",status="200"}' in text
    for name in ("static", "assets"):
        assert f'millrace_api_requests_total{{endpoint="{name}",status="404"}}' in text
    labels = [label(path, {"latest": None}) for path in ("/", "/docs", "/static/a/b.js", "/x")]
    assert labels == ["/", "docs", "static", "other"]
