"""Create the topics that SQL files name and the broker lacks, if the settings allow that."""

from collections.abc import Callable, Iterable

from kafka.errors import InvalidTopicError, TopicAlreadyExistsError

from lib import kafka, sql_variables
from lib.errors import ServiceError, SqlFileError
from lib.settings import Kafka, Settings
from lib.sqlfiles import SqlFile

# A place, as errors show it, and the topic that it names.
Named = tuple[str, str]


def named(files: Iterable[SqlFile]) -> list[Named]:
    """The topics of a job's files."""
    return [(file.place, topic) for file in files for topic in file.topics]


def of_all_jobs(config: Settings, warn: Callable[[str], None]) -> list[Named]:
    """The topic of the settings and those of all jobs, but for a job whose files are wrong; warn of
    such a job."""
    topics = [("kafka.topic", config.kafka.topic)]
    for folder in sorted((config.sql_dir / "flink").glob("*/")):
        try:
            topics += named(sql_variables.load(folder, config.variables()))
        except SqlFileError as error:
            warn(f"job {folder.name}: its topics are not made: {error}")
    return topics


def provide(settings: Kafka, wanted: Iterable[Named], say: Callable[[str], None]) -> None:
    """Create the topics that the broker lacks, and report them; raise ServiceError for the first
    if kafka.make_topics does not allow that."""
    existing = kafka.topics(settings.bootstrap_servers)
    for place, name in wanted:
        if name in existing:
            continue
        if not makes(settings):
            raise missing_topic(settings, place, name)
        if _make(settings, place, name):
            say(f"topic {name}: made with {settings.partitions} partitions")
        existing.add(name)


def makes(settings: Kafka) -> bool:
    """Whether the settings allow topics to be created on this broker."""
    is_local = kafka.is_local(settings.bootstrap_servers)
    return settings.make_topics == "always" or (settings.make_topics == "local" and is_local)


def missing_topic(settings: Kafka, place: str, name: str) -> ServiceError:
    """The error for a topic that the broker does not have."""
    remedy = "make it with `make up`"
    if not makes(settings):
        remedy = "make it there, set kafka.make_topics to always"
    return ServiceError(
        f"{place}: Kafka at {settings.bootstrap_servers} has no topic {name}; "
        f"{remedy}, or fix the name."
    )


def _make(settings: Kafka, place: str, name: str) -> bool:
    """Create a topic with the broker's default replication; return False if it exists."""
    with kafka.admin(settings.bootstrap_servers) as client:
        try:
            topic = {name: {"num_partitions": settings.partitions}}
            client.create_topics(topic, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            return False
        except InvalidTopicError:
            raise ServiceError(
                f"{place}: {name!r} cannot be a topic's name; write up to 249 of A-Z a-z 0-9 . _ -."
            ) from None
    return True
