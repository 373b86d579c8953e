"""Metrics for Prometheus."""

import time
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.events import sse
from api.http.middleware import App, Message, Receive, Send

# Litestar adds the charset to the media type of a text.
MEDIA_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
# Paths with one label for everything below the first folder.
_PAGES = ("", "assets", "docs", "static")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "millrace_api_requests",
            "Requests answered.",
            ["endpoint", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "millrace_api_request_seconds",
            "From a request to the end of its response; of a followed endpoint, to its beginning.",
            ["endpoint"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.followers = Gauge(
            "millrace_api_followers", "Clients that follow an endpoint.", registry=self._registry
        )
        self.up = Gauge(
            "millrace_clickhouse_up", "Whether ClickHouse answers.", registry=self._registry
        )
        self._parts: dict[str, Gauge] = {}

    def set_parts(self, rows: list[dict[str, Any]]) -> None:
        """Set a gauge for each column of health.sql, labelled by part; unknown values have none."""
        for gauge in self._parts.values():
            gauge.clear()
        for row in rows:
            self._gauge("up").labels(part=row.get("part", "")).set(row.get("status") == "up")
            for column, value in row.items():
                if isinstance(value, int | float):
                    self._gauge(column).labels(part=row.get("part", "")).set(value)

    def _gauge(self, column: str) -> Gauge:
        if column not in self._parts:
            self._parts[column] = Gauge(
                f"millrace_part_{column}",
                f"{column} of health.sql.",
                ["part"],
                registry=self._registry,
            )
        return self._parts[column]

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)


def instrumented(app: App, metrics: Metrics, names: Mapping[str, Any]) -> App:
    """The application with each request counted under the name of its endpoint."""

    async def instrument(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        begun, status, is_counted = time.perf_counter(), 0, False

        def count() -> None:
            nonlocal is_counted
            if not is_counted:
                name = label(scope["path"], names)
                metrics.requests.labels(name, status).inc()
                metrics.seconds.labels(name).observe(time.perf_counter() - begun)
            is_counted = True

        async def watch(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)
            if _begins_events(message):
                count()

        try:
            await app(scope, receive, watch)
        finally:
            count()

    return instrument


def _begins_events(message: Message) -> bool:
    """Whether a response begins that lasts until its client disconnects."""
    kind = dict(message.get("headers", [])).get(b"content-type", b"")
    return bool(kind.startswith(sse.MEDIA_TYPE.encode()))


def label(path: str, names: Mapping[str, Any]) -> str:
    """The label of a request; an unknown path has no label of its own."""
    folder = path.lstrip("/").partition("/")[0]
    if folder in _PAGES:
        return folder or "/"
    name = path.removeprefix("/api/").strip("/")
    return name if name in names or name in ("health", "metrics", "openapi.json") else "other"
