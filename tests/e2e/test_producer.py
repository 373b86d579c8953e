"""The producer beside a real broker: nothing lost, nothing twice, in order, whatever happens."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from lib import jars, java, ports
from lib.processes import end_with_parent
from tests.e2e.support import Program, wait_until

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2024, 1, 30, 10)
SYMBOLS = ("AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA", "TSLA")
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
# A killed broker may come back as soon as its own controller has missed it for so long.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


class Broker:
    """A real broker that can be frozen, killed and started again on the same data."""

    def __init__(self, folder: Path) -> None:
        port, controller = ports.free(2)
        self.address, self.folder = f"127.0.0.1:{port}", folder
        self.properties = folder / "server.properties"
        self.properties.write_text(
            PROPERTIES.format(port=port, controller=controller, folder=folder)
        )
        format_data = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c"]
        subprocess.run([*_java(), *format_data, self.properties], check=True, capture_output=True)
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            command = [*_java(), "kafka.Kafka", str(self.properties)]
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=end_with_parent
            )

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    def topic(self) -> str:
        """Make a topic of four partitions, as soon as the broker answers."""
        name = f"ticks-{uuid.uuid4().hex[:8]}"
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})

        def is_made() -> bool:
            # A broker that has just come may answer before it may hold a topic.
            with suppress(KafkaException):
                admin.create_topics([NewTopic(name, 4, 1)], request_timeout=60)[name].result()
            return name in admin.list_topics(timeout=60).topics

        wait_until(is_made, "a topic")
        return name

    def read(self, topic: str) -> list[tuple[str, dict[str, object]]]:
        """Every record of the topic, partition by partition: its key and its value."""
        consumer = Consumer(
            {"bootstrap.servers": self.address, "group.id": "-", "enable.partition.eof": True,
             "log_level": 0}
        )  # fmt: skip
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(4)])
        records, ended = [], 0
        while ended < 4:
            for message in consumer.consume(10_000, timeout=0.1):
                if (error := message.error()) is None:
                    records.append((message.key().decode(), json.loads(message.value())))
                ended += error is not None and error.code() == KafkaError._PARTITION_EOF
        consumer.close()
        return records

    def holds_some(self, topic: str) -> bool:
        """Whether the topic has a record."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "-", "log_level": 0})
        places = [TopicPartition(topic, partition) for partition in range(4)]
        try:
            return any(consumer.get_watermark_offsets(place, timeout=60)[1] for place in places)
        except KafkaException:
            # A broker that has just come back does not lead its partitions yet.
            return False
        finally:
            consumer.close()


def _java() -> list[str]:
    return [str(java.java_home() / "bin" / "java"), "-Xmx512m", "-cp", jars.kafka_classpath()]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.send_signal(signal.SIGKILL)


def start(address: str, topic: str, *arguments: str) -> Program:
    names = {"MILLRACE_KAFKA__BOOTSTRAP_SERVERS": address, "MILLRACE_KAFKA__TOPIC": topic}
    return Program([sys.executable, "-m", "producer", *arguments], os.environ | names, ROOT)


def end(producer: Program, seconds: float = 240) -> tuple[int, str, str]:
    ended = producer.end(seconds)
    assert "Exception ignored" not in ended.err
    return ended.code, ended.out.strip(), ended.err.strip()


def until_it_says(producer: Program, pattern: str) -> None:
    """Wait for a line on stderr."""

    def said() -> bool:
        assert producer.process.poll() is None, producer.said
        return any(re.search(pattern, line) for line in producer.err)

    wait_until(said, pattern, 240)


def run(broker: Broker, topic: str, *arguments: str) -> tuple[int, str, str]:
    return end(start(broker.address, topic, *arguments))


def numbered(path: Path, count: int) -> Path:
    """A recording in which a tick's volume is its number among those of its symbol, from 0."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["symbol", "price", "volume", "timestamp"])
        for number in range(count):
            time = START + timedelta(microseconds=number)
            writer.writerow([SYMBOLS[number % 7], 1.5, number // 7, time.isoformat()])
    return path


def numbers(broker: Broker, topic: str) -> dict[str, list[object]]:
    """What arrived, per symbol, in the order of the topic."""
    arrived = defaultdict(list)
    for key, value in broker.read(topic):
        assert key == value["symbol"]
        arrived[key].append(value["volume"])
    return arrived


def each_once_in_order(count: int) -> dict[str, list[int]]:
    return {symbol: list(range((count - place + 6) // 7)) for place, symbol in enumerate(SYMBOLS)}


def until_it_grows(broker: Broker, topic: str) -> None:
    """Wait until the first ticks of a run are in the topic."""
    wait_until(lambda: broker.holds_some(topic), "the first ticks", 240)


def grows_in_a_step(broker: Broker, topic: str, producer: Program) -> bool:
    """Let a producer run for a moment, and stop it: whether ticks are in the topic then."""
    producer.process.send_signal(signal.SIGCONT)
    time.sleep(0.1)
    producer.process.send_signal(signal.SIGSTOP)
    return broker.holds_some(topic)


def test_count_and_seed_are_reproducible(broker: Broker) -> None:
    runs = []
    for _ in range(2):
        topic, before = broker.topic(), datetime.now(UTC).replace(tzinfo=None)
        status = run(broker, topic, "--count", "70", "--seed", "7", "--rate", "100")
        assert status[:2] == (0, "sent 70 ticks, 70 acknowledged, 0 not acknowledged")
        ticks = [value for _, value in broker.read(topic)]
        stamps = sorted(str(tick.pop("timestamp")) for tick in ticks)
        assert before <= datetime.fromisoformat(stamps[0]) < datetime.fromisoformat(stamps[-1])
        runs.append(ticks)
    assert runs[0] == runs[1]
    assert {tick["symbol"] for tick in runs[0]} == set(SYMBOLS)


def test_the_rate_holds(broker: Broker) -> None:
    topic = broker.topic()
    run(broker, topic, "--symbols", "A,B", "--rate", "50", "--count", "201")
    stamps = sorted(str(value["timestamp"]) for _, value in broker.read(topic))
    first, last = datetime.fromisoformat(stamps[0]), datetime.fromisoformat(stamps[-1])
    # 2 s, less what the first tick is late; how much slower is up to the machine.
    # tests/producer/test_pace.py is exact. At the rate of the settings, which is 1, it is 100 s.
    assert 1.3 < (last - first).total_seconds() < 90


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_replay(broker: Broker, tmp_path: Path, name: str) -> None:
    topic, path = broker.topic(), numbered(tmp_path / "t.csv", 1000)
    with path.open(newline="") as file:
        rows = [
            row | {"price": float(row["price"]), "volume": int(row["volume"])}
            for row in csv.DictReader(file)
        ]
    if name == "t.jsonl":
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    if name == "t.parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    status = run(broker, topic, "--replay", str(tmp_path / name), "--speed", "max")
    assert status == (0, "sent 1,000 ticks, 1,000 acknowledged, 0 not acknowledged", "")
    assert numbers(broker, topic) == each_once_in_order(1000)
    stamps = sorted(str(value["timestamp"]) for _, value in broker.read(topic))
    assert stamps[0] == "2024-01-30T10:00:00.000000"
    assert stamps[-1] == "2024-01-30T10:00:00.000999"


def test_a_replay_keeps_its_gaps(broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    tick = {"symbol": "A", "price": 1, "volume": 1}
    times = [START, START + timedelta(minutes=100)]
    path.write_text("".join(json.dumps(tick | {"timestamp": str(at)}) + "\n" for at in times))
    began = time.monotonic()
    # At any other speed that it knows of by itself, it would be more than an hour or no time.
    assert run(broker, broker.topic(), "--replay", str(path), "--speed", "3000")[0] == 0
    assert time.monotonic() - began > 2


def test_an_invalid_row_stops_after_those_before_it(broker: Broker, tmp_path: Path) -> None:
    topic, path = broker.topic(), numbered(tmp_path / "t.csv", 10)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:4], "AAPL,free,1,2024-01-30", *lines[4:], ""]))
    arguments = ("--replay", str(path), "--speed", "max")
    code, out, err = run(broker, topic, *arguments)
    assert (code, out) == (2, "sent 3 ticks, 3 acknowledged, 0 not acknowledged")
    assert err == (
        f"{path}:5: price 'free' is not a finite number above 0; fix the row or add --skip-invalid."
    )
    assert len(broker.read(topic)) == 3
    status = run(broker, topic, *arguments, "--skip-invalid")
    assert status[:2] == (
        0,
        "sent 10 ticks, 10 acknowledged, 0 not acknowledged, 1 invalid rows skipped",
    )


def test_a_missing_topic_is_one_line(broker: Broker) -> None:
    broker.topic()
    code, out, err = run(broker, "nowhere")
    assert (code, out) == (2, "")
    assert err == (
        f"kafka.topic: Kafka at {broker.address} has no topic nowhere; "
        "make it with `make up`, or fix the name."
    )
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    assert "nowhere" not in admin.list_topics(timeout=90).topics, "asking must not create it"


def test_a_topic_deleted_in_mid_send_ends_the_run(broker: Broker) -> None:
    topic = broker.topic()
    process = start(broker.address, topic, "--rate", "100")
    until_it_grows(broker, topic)
    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.delete_topics([topic])[topic].result()
    code, out, err = end(process)
    assert (code, out.startswith("sent ")) == (2, True)
    last = err.splitlines()[-1]
    assert last.startswith(f"kafka.topic: Kafka at {broker.address} has no topic {topic}; ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_with_every_tick_acknowledged(
    broker: Broker, number: signal.Signals
) -> None:
    topic = broker.topic()
    process = start(broker.address, topic, "--rate", "100")
    until_it_grows(broker, topic)
    process.process.send_signal(number)
    code, out, _ = end(process)
    sent = len(broker.read(topic))
    assert (code, out) == (0, f"sent {sent:,} ticks, {sent:,} acknowledged, 0 not acknowledged")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_broker_away_at_the_start_is_waited_for(number: signal.Signals) -> None:
    process = start(f"127.0.0.1:{ports.free(1)[0]}", "stock-ticks")
    until_it_says(process, "Kafka does not answer, waiting for")
    process.process.send_signal(number)
    code, out, err = end(process)
    assert (code, out) == (0, "")
    assert err.splitlines()[-1] == "stopped before Kafka answered: sent 0 ticks."


def test_a_broker_that_comes_late_gets_the_ticks(broker: Broker) -> None:
    topic = broker.topic()
    broker.send_signal(signal.SIGKILL)
    process = start(broker.address, topic, "--count", "7", "--rate", "10")
    until_it_says(process, "Kafka does not answer, waiting for")
    broker.start()
    assert end(process)[:2] == (0, "sent 7 ticks, 7 acknowledged, 0 not acknowledged")
    assert len(broker.read(topic)) == 7


@pytest.mark.parametrize(
    ("number", "pattern"),
    [
        (signal.SIGKILL, "Kafka has acknowledged nothing for"),
        # Longer than the client waits for an answer: it sends again what the broker still has.
        (signal.SIGSTOP, "Kafka has acknowledged nothing for (1[6-9]|[2-9].) s"),
    ],
    ids=["killed", "frozen"],
)
def test_a_broker_away_in_mid_send_loses_nothing(
    broker: Broker, tmp_path: Path, number: signal.Signals, pattern: str
) -> None:
    count = 60_000
    topic, path = broker.topic(), numbered(tmp_path / "t.csv", count)
    process = start(broker.address, topic, "--replay", str(path), "--speed", "max")
    # It stands still while the topic is looked at, so that it cannot end before the broker does.
    wait_until(lambda: grows_in_a_step(broker, topic, process), "the first ticks", 240)
    broker.send_signal(number)
    process.process.send_signal(signal.SIGCONT)
    until_it_says(process, pattern)
    if number == signal.SIGKILL:
        broker.start()
    else:
        broker.send_signal(signal.SIGCONT)
    code, out, err = end(process)
    assert (code, out) == (0, "sent 60,000 ticks, 60,000 acknowledged, 0 not acknowledged")
    assert "acknowledges again" in err
    assert numbers(broker, topic) == each_once_in_order(count)


def test_a_stop_while_the_broker_is_away_says_what_is_missing(broker: Broker) -> None:
    topic = broker.topic()
    process = start(broker.address, topic, "--rate", "100")
    until_it_grows(broker, topic)
    broker.send_signal(signal.SIGSTOP)
    try:
        until_it_says(process, "Kafka has acknowledged nothing for")
        # The second ends the wait for outcomes that the first begins; one kind could come as one.
        process.process.send_signal(signal.SIGTERM)
        process.process.send_signal(signal.SIGINT)
        code, out, err = end(process)
    finally:
        broker.send_signal(signal.SIGCONT)
    missing = out.split()[-3]
    assert code == 1 and missing != "0"
    assert f"{missing} ticks are not acknowledged (no answer in time); each may be in" in err
