"""Kafka, ClickHouse, and the ports of what Millrace serves itself."""

import json
import secrets
import time
from collections.abc import Iterator
from http.client import HTTPException
from importlib import metadata
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from msgspec.structs import replace

from jobs.doctor.findings import Finding, of_error
from lib import clickhouse, conf, kafka, migrations, ports, sqlfiles, topics
from lib.clickhouse_errors import Code
from lib.errors import ServiceError, UnavailableError
from lib.settings import ClickHouse, Settings

# How far the clock of ClickHouse may be from that of this machine, in seconds: a tick that is
# further ahead counts as one from the future.
_CLOCKS = 1.0
# The share of the parts with which ClickHouse delays inserts that is too many already.
_PARTS = 0.5
_ONLY_READS = (Code.READONLY, Code.ACCESS_DENIED)


def kafka_and_topics(config: Settings) -> Iterator[Finding]:
    """Whether Kafka answers, and has the topics of all jobs, each with a leader."""
    servers = config.kafka.bootstrap_servers
    try:
        existing = kafka.topics(servers)
    except UnavailableError:
        if kafka.is_listening(servers):
            raise UnavailableError(
                f"what listens at {servers} does not answer as Kafka does; end it, or set "
                "kafka.bootstrap_servers."
            ) from None
        raise
    yield Finding("kafka", f"answers at {servers}")
    wanted = dict((name, place) for place, name in topics.of_all_jobs(config, lambda _: None))
    for name, place in wanted.items():
        if name not in existing:
            yield from of_error("topics", topics.missing_topic(config.kafka, place, name))
    with kafka.admin(servers) as client:
        for topic in client.describe_topics(sorted(wanted.keys() & existing)):
            partitions = topic["partitions"]
            headless = [str(p["partition_index"]) for p in partitions if p["leader_id"] < 0]
            fact = f"{topic['name']}: {len(partitions)} partitions"
            if headless:
                fact += f", of which {', '.join(headless)} have no leader"
            yield Finding("topics", fact, "start the brokers that have them" if headless else "")


def clickhouse_of_jobs(config: Settings) -> Iterator[Finding]:
    """Whether ClickHouse takes the user of the jobs, and is as the files of sql/clickhouse want
    it."""
    settings = config.clickhouse
    client = _connected(settings)
    with clickhouse.explained(settings):
        begun = time.time()
        version, now = client.query(
            "SELECT version(), toUnixTimestamp64Micro(now64(6)) / 1e6"
        ).result_rows[0]
        took = time.time() - begun
        yield Finding("clickhouse", f"{version} answers {settings.user} at {settings.address}")
        # The answer is from some moment between the two.
        ahead = now - (begun + took / 2)
        is_far = abs(ahead) > _CLOCKS + took / 2
        fact = f"that of ClickHouse is {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'behind'}"
        yield Finding("clock", fact, "set both clocks by NTP" if is_far else "")
        yield from _migrations(client, config)
        yield from _parts(client)


def _connected(settings: ClickHouse) -> Client:
    try:
        return clickhouse.connect(settings)
    except UnavailableError:
        if not ports.is_loopback(settings.address) or ports.is_free(settings.host, settings.port):
            raise
        raise UnavailableError(
            f"what listens at {settings.address} does not answer as ClickHouse does; end it, or "
            "set clickhouse.host and clickhouse.port."
        ) from None


def _migrations(client: Client, config: Settings) -> Iterator[Finding]:
    database = config.clickhouse.database
    files = sqlfiles.load(config.sql_dir / "clickhouse")
    has_run = client.command(f"EXISTS TABLE {database}.schema_migrations")
    done = migrations.applied(client, database) if has_run else []
    todo = migrations.pending(done, files)
    fact = f"{len(done)} of {len(files)} files of sql/clickhouse have run"
    yield Finding("migrations", fact, "run `make migrate`" if todo else "")


def _parts(client: Client) -> Iterator[Finding]:
    """The table with the most parts, or all that have too many."""
    (limit,) = client.query(
        "SELECT toUInt64(value) FROM system.merge_tree_settings"
        " WHERE name = 'parts_to_delay_insert'"
    ).result_rows[0]
    rows = client.query(
        "SELECT concat(database, '.', table), count() AS parts FROM system.parts"
        " WHERE active AND database != 'system' GROUP BY ALL ORDER BY parts DESC"
    ).result_rows
    most = [(name, parts) for name, parts in rows if parts > _PARTS * limit] or rows[:1]
    for name, parts in most:
        is_much = parts > _PARTS * limit
        fact = f"{name} has {parts} (inserts are delayed at {limit})"
        remedy = "raise python.fn-execution.bundle.time, so that inserts are fewer and larger"
        yield Finding("parts", fact, remedy if is_much else "")


def clickhouse_of_api(config: Settings) -> Iterator[Finding]:
    """Whether ClickHouse takes the user of the API, and lets it only read."""
    settings = config.clickhouse
    own = replace(settings, user=settings.reader_user, password=settings.reader_password)
    # It does not exist, so that a user who may drop tables drops none.
    table = f"{settings.database}.doctor_{secrets.token_hex(8)}"
    try:
        client = clickhouse.connect(own)
    except UnavailableError:
        raise
    except ServiceError as error:
        remedy = "set clickhouse.reader_user and clickhouse.reader_password"
        yield Finding("reader", str(error).rpartition("; ")[0], remedy)
        return
    try:
        with clickhouse.explained(own):
            client.command(f"DROP TABLE IF EXISTS {table}")
    except ServiceError as error:
        cause = error.__cause__
        if not isinstance(cause, DatabaseError) or cause.code not in _ONLY_READS:
            raise
        yield Finding("reader", f"{own.user} may only read")
    else:
        yield Finding("reader", f"{own.user} may drop tables", "give it SELECT alone, readonly = 1")


def served(config: Settings) -> Iterator[Finding]:
    """What has the ports of Flink's REST API and of the API."""
    flink, api = config.flink, config.api
    version = metadata.version("apache-flink")
    yield _port("flink.rest_port", flink.rest_host, flink.rest_port, "/config", version)
    yield _port("api.port", api.host, api.port, "/health", "status")


def _port(check: str, host: str, port: int, path: str, word: str) -> Finding:
    """Whether a port is free, or has a server that answers there with this word in its JSON."""
    address = ports.address(host, port)
    if ports.is_free(host, port):
        return Finding(check, f"{address} is free")
    answer = _answer(f"http://{address}{path}")
    if word in answer or word in answer.values():
        return Finding(check, f"{address} answers")
    variable = f"{conf.PREFIX}{check.upper().replace('.', '__')}"
    remedy = f"end it, or change {check} ({variable})"
    return Finding(check, f"another program listens at {address}", remedy)


def _answer(url: str) -> dict[str, Any]:
    """An object in JSON, also of an error; empty if there is none."""
    try:
        with urlopen(url, timeout=5) as response:
            text = response.read(100_000)
    except HTTPError as error:
        text = error.read(100_000)
    except (OSError, HTTPException):
        return {}
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
