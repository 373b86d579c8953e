"""The types and limits of all settings; lib.conf reads them."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from lib import ports
from lib.pattern import Pattern

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Percent = Annotated[float, msgspec.Meta(gt=0, le=100)]
Rate = Annotated[float, msgspec.Meta(gt=0)]
Price = Annotated[float, msgspec.Meta(gt=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
# As SQL's INTERVAL '...' SECOND(3) takes it.
Lateness = Annotated[float, msgspec.Meta(ge=0, lt=1000)]
Name = Annotated[str, msgspec.Meta(min_length=1)]
# A key that is a variable of SQL files: ${GROUP_KEY}.
Variable = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$")]
# A part of a file's name.
Identifier = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_-]{0,62}$")]
# Too long to be guessed.
Secret = Annotated[str, msgspec.Meta(min_length=16)]
Values = Annotated[list[Name], msgspec.Meta(min_length=1)]
Frequency = Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]{0,4}/(second|minute|hour)$")]

# Settings whose names end in this are never shown.
_SECRETS = ("password", "key", "keys", "secret")


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of settings: typed, frozen, unknown keys refused, secrets not shown."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [
            (name, "***" if value and name.endswith(_SECRETS) else value)
            for name, value in zip(
                self.__struct_fields__, msgspec.structs.astuple(self), strict=True
            )
        ]


class Kafka(Section, frozen=True):
    bootstrap_servers: Name
    topic: Name
    partitions: Count
    make_topics: Literal["local", "always", "never"]


class ClickHouse(Section, frozen=True):
    host: Name
    port: Port
    database: Name
    user: Name
    password: str
    reader_user: Name
    reader_password: str

    @property
    def address(self) -> str:
        """host:port, as in a URL."""
        return ports.address(self.host, self.port)

    @property
    def is_local(self) -> bool:
        """Whether ClickHouse is on this machine, so that compression only costs time."""
        return ports.is_loopback(self.address)


class Flink(Section, frozen=True):
    rest_host: Name
    rest_port: Port

    @property
    def address(self) -> str:
        """host:port, as in a URL."""
        return ports.address(self.rest_host, self.rest_port)


class DeadLetters(Section, frozen=True):
    keep: bool
    max_per_minute: Count | None
    max_percent: Percent | None


class Retention(Section, frozen=True):
    days: dict[Name, Count | None]


class Ticks(Section, frozen=True):
    symbol_pattern: Pattern
    lateness: Lateness


class Producer(Section, frozen=True):
    symbols: dict[str, Price]
    rate: Rate
    seed: int | None


class Key(Section, frozen=True):
    """Its owner may ask `only` for these values of these parameters, and only at this `rate`."""

    key: Secret
    only: Annotated[dict[Name, Values], msgspec.Meta(min_length=1)] = {}
    rate: Frequency | None = None


class Api(Section, frozen=True):
    host: Name
    port: Port
    keys: dict[Name, Key]
    timeout: Seconds
    head_timeout: Seconds
    max_address: Count
    max_connections: Count
    max_followers: Count

    @property
    def address(self) -> str:
        """host:port, as in a URL."""
        return ports.address(self.host, self.port)


class Webhook(Section, frozen=True):
    """Another server that gets each row of a stream of sql/api."""

    url: Annotated[str, msgspec.Meta(pattern="^https?://[^/]+")]
    secret: Secret
    stream: Name

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # An address may have a secret, too.
        return [("url", "***"), ("secret", "***"), ("stream", self.stream)]


class Local(Section, frozen=True):
    kafka_controller_port: Port
    kafka_heap: Name


class Settings(Section, frozen=True):
    """All settings; a program reads them once and hands them on."""

    data_dir: Path
    sql_dir: Path
    kafka: Kafka
    clickhouse: ClickHouse
    flink: Flink
    dead_letters: DeadLetters
    retention: Retention
    ticks: Ticks
    alerts: dict[Variable, str | int | float]
    producer: Producer
    api: Api
    webhooks: dict[Identifier, Webhook]
    local: Local

    def variables(self) -> dict[str, str]:
        """The values of `${NAME}` in SQL files: SECTION_KEY for each plain setting but secrets."""
        return {
            f"{section}_{key}".upper(): str(value)
            for section, group in msgspec.to_builtins(self, enc_hook=str).items()
            if isinstance(group, dict)
            for key, value in group.items()
            if isinstance(value, str | int | float) and not key.endswith(_SECRETS)
        }
