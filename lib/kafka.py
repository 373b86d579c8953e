"""What programs ask the broker about: whether it answers, and which topics it has."""

import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from lib.errors import ServiceError

# The client logs each failed attempt to connect; what it means is said once, here.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


@contextmanager
def admin(servers: str) -> Iterator[KafkaAdminClient]:
    """An admin client; raise ServiceError if no broker answers there."""
    away = (
        f"Kafka at {servers} does not answer; start it with `make up` "
        "or set kafka.bootstrap_servers."
    )
    # Asked first, since each client that fails to connect leaves descriptors open.
    if not any(_is_listening(server) for server in servers.split(",")):
        raise ServiceError(away)
    try:
        client = KafkaAdminClient(
            bootstrap_servers=servers.split(","),
            bootstrap_timeout_ms=5_000,
            request_timeout_ms=10_000,
        )
    except KafkaError as error:
        raise ServiceError(away) from error
    try:
        yield client
    except KafkaError as error:
        raise ServiceError(f"Kafka at {servers}: {error}") from error
    finally:
        client.close()


def _is_listening(server: str) -> bool:
    host, _, port = server.strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
            return True
    except (OSError, ValueError):
        return False


def wait(servers: str, say: Callable[[str], None], timeout: float) -> None:
    """Return when a broker answers, saying so till then; raise ServiceError after `timeout` s."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            topics(servers)
            return
        except ServiceError:
            if time.monotonic() > deadline:
                raise
            say(f"waiting for Kafka at {servers}")
            time.sleep(0.5)


def topics(servers: str) -> set[str]:
    """The names of all topics."""
    with admin(servers) as client:
        return set(client.list_topics())


def topic_ids(servers: str, names: Iterable[str]) -> dict[str, str]:
    """The id of each topic; one that is deleted and made again has another."""
    with admin(servers) as client:
        return {t["name"]: str(t["topic_id"]) for t in client.describe_topics(sorted(set(names)))}


def make_topic(servers: str, name: str, partitions: int) -> bool:
    """Make a topic with one replica; return False if it is there already."""
    with admin(servers) as client:
        try:
            client.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1)])
        except TopicAlreadyExistsError:
            return False
    return True


def check_topics(servers: str, wanted: Iterable[tuple[str, str]]) -> None:
    """Raise ServiceError for the first (place, topic) that the broker does not have."""
    there = topics(servers)
    for place, name in wanted:
        if name not in there:
            raise ServiceError(
                f"{place}: Kafka at {servers} has no topic {name}; "
                "make it with `make up`, or mend the name."
            )
