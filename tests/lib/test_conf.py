import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lib import conf
from lib.errors import SettingsError
from lib.settings import Settings

DEFAULTS: dict[str, Any] = yaml.safe_load(conf.FILE.read_text())


def load(environ: dict[str, str] | None = None) -> Settings:
    return conf.load(environ=environ or {})


def fails(file: Path, text: str | bytes, environ: dict[str, str] | None = None) -> str:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as error:
        conf.load(file, environ or {})
    assert "\n" not in str(error.value)
    return str(error.value)


def changed(section: str, **values: Any) -> str:
    return yaml.safe_dump({**DEFAULTS, section: {**DEFAULTS[section], **values}})


def refused(**environ: str) -> str:
    with pytest.raises(SettingsError) as error:
        load(environ)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "millrace.yaml"


def test_the_file_in_the_repository_loads_and_folders_are_absolute() -> None:
    config = load()
    assert config.clickhouse.address == "127.0.0.1:8123"
    assert config.clickhouse.is_local
    assert config.data_dir == conf.ROOT / "var"
    assert config.sql_dir == conf.ROOT / "sql"


@pytest.mark.parametrize(
    ("section", "key", "near"),
    [
        ("kafka", "bootstrap_server", "did you mean bootstrap_servers?"),
        ("clickhouse", "xyz", "known: host, port, database, user, password, reader_user"),
    ],
)
def test_an_unknown_key_is_an_error(file: Path, section: str, key: str, near: str) -> None:
    text = fails(file, changed(section, **{key: 1}))
    assert text.startswith(f"{file}: {section}.{key} is not a setting; {near}")


def test_an_unknown_section_is_an_error(file: Path) -> None:
    text = fails(file, yaml.safe_dump({**DEFAULTS, "kafak": {}}))
    assert text == f"{file}: kafak is not a setting; did you mean kafka?"
    assert "5 is not a setting; known:" in fails(file, yaml.safe_dump({**DEFAULTS, 5: 1}))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "holds no keys; restore it from git."),
        ("# only a comment\n", "holds no keys"),
        ("- a\n- b\n", "holds no keys"),
        ("kafka: [1\nx: y: z", "not YAML: "),
        (b"kafka: \xff\xfe", "cannot be read: "),
        ("data_dir: var", "missing required field"),
    ],
)
def test_a_malformed_file_is_refused(file: Path, text: str | bytes, fact: str) -> None:
    assert fails(file, text).startswith(f"{file}: ")
    assert fact in fails(file, text)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not found; restore it from git"):
        conf.load(tmp_path / "none.yaml", {})
    with pytest.raises(SettingsError, match="cannot be read"):
        conf.load(tmp_path, {})


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("clickhouse", "port", 0),
        ("clickhouse", "port", 65536),
        ("clickhouse", "port", -1),
        ("clickhouse", "port", "http"),
        ("clickhouse", "port", 1.5),
        ("clickhouse", "port", True),
        ("clickhouse", "port", None),
        ("clickhouse", "password", 1234),
        ("clickhouse", "host", ""),
        ("kafka", "partitions", 0),
        ("kafka", "topic", ["a"]),
        ("producer", "rate", 0),
        ("producer", "rate", float("nan")),
        ("producer", "symbols", {"A": -1.0}),
        ("producer", "symbols", ["A"]),
        ("producer", "seed", "x"),
    ],
)
def test_a_value_of_the_wrong_type_or_out_of_range_is_refused(
    file: Path, section: str, key: str, value: Any
) -> None:
    text = fails(file, changed(section, **{key: value}))
    assert text.startswith(f"{file}: Expected ") and f"`$.{section}.{key}" in text


@pytest.mark.parametrize("group", [None, 5, "text", [1]])
def test_a_section_that_is_not_a_mapping_is_refused(file: Path, group: Any) -> None:
    text = yaml.safe_dump({**DEFAULTS, "kafka": group})
    assert "`$.kafka`" in fails(file, text)
    assert "`$.kafka`" in fails(file, text, {"MILLRACE_KAFKA__TOPIC": "ticks"})


def test_the_environment_overrides_the_file_in_every_type(tmp_path: Path) -> None:
    config = load(
        {
            "MILLRACE_DATA_DIR": str(tmp_path),
            "MILLRACE_SQL_DIR": "elsewhere",
            "MILLRACE_CLICKHOUSE__PORT": "9000",
            "MILLRACE_CLICKHOUSE__PASSWORD": "0123",
            "MILLRACE_KAFKA__TOPIC": "null",
            "MILLRACE_CLICKHOUSE__HOST": "10",
            "MILLRACE_CLICKHOUSE__READER_PASSWORD": "a: [b",
            "MILLRACE_PRODUCER__RATE": "2.5",
            "MILLRACE_PRODUCER__SEED": "7",
            "MILLRACE_PRODUCER__SYMBOLS": "{A: 1, 'B.C': 2.5}",
            "OTHER": "ignored",
        }
    )
    assert config.data_dir == tmp_path
    assert config.sql_dir == conf.ROOT / "elsewhere"
    assert config.clickhouse.port == 9000
    assert config.clickhouse.password == "0123"
    assert config.clickhouse.reader_password == "a: [b"
    assert config.clickhouse.host == "10" and not config.clickhouse.is_local
    assert config.kafka.topic == "null"
    assert (config.producer.rate, config.producer.seed) == (2.5, 7)
    assert config.producer.symbols == {"A": 1.0, "B.C": 2.5}


@pytest.mark.parametrize("name", ["ON", "NO", "yes", "7203", "null", "2024-01-30", "1.5"])
def test_a_symbol_that_yaml_reads_as_something_else_needs_quotes(file: Path, name: str) -> None:
    text = yaml.safe_dump(DEFAULTS).replace("AAPL:", f"{name}:")
    in_variable = refused(MILLRACE_PRODUCER__SYMBOLS=f"{{{name}: 5}}")
    for shown in (fails(file, text), in_variable):
        assert "Expected `str`, got `" in shown and "`$.producer.symbols`; YAML reads" in shown
        assert shown.endswith('put it in quotes, as "ON".')
    quoted = load({"MILLRACE_PRODUCER__SYMBOLS": f"{{'{name}': 5}}"})
    assert quoted.producer.symbols == {name: 5.0}


def test_an_empty_or_null_seed_is_none() -> None:
    for text in ("", "null"):
        assert load({"MILLRACE_PRODUCER__SEED": text}).producer.seed is None


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("MILLRACE_KAFKA__TOPICS", "did you mean MILLRACE_KAFKA__TOPIC?"),
        ("MILLRACE_KAFKA_TOPIC", "did you mean MILLRACE_KAFKA__TOPIC?"),
        ("MILLRACE_KAFKA__TOPIC__X", "did you mean MILLRACE_KAFKA__TOPIC?"),
        ("MILLRACE_KAFKA", "did you mean MILLRACE_KAFKA__TOPIC?"),
        ("MILLRACE_DATA_DIRS", "did you mean MILLRACE_DATA_DIR?"),
        ("MILLRACE_DATA_DIR__X", "did you mean MILLRACE_DATA_DIR?"),
    ],
)
def test_an_unknown_variable_is_an_error(name: str, near: str) -> None:
    assert refused(**{name: "x"}) == f"environment: {name} is not a setting; {near}"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("[A-Z", "'[A-Z' is not a regular expression (unterminated character set"),
        ("[[A-Z]", "is not a regular expression (Possible nested set"),
        ("[A-Z]*", "matches the empty text"),
        ("A\nB", "or has a control character"),
    ],
)
def test_a_malformed_pattern_is_refused(file: Path, text: str, fact: str) -> None:
    name = "MILLRACE_TICKS__SYMBOL_PATTERN"
    for shown in (refused(**{name: text}), fails(file, changed("ticks", symbol_pattern=text))):
        assert fact in shown and "`$.ticks.symbol_pattern`; see the comment" in shown
    assert refused(**{name: text}).startswith(f"environment: {name}: ")
    assert "put it in quotes" in fails(file, changed("ticks", symbol_pattern=5))


def test_a_wrong_value_names_the_variable_it_came_from() -> None:
    port = "MILLRACE_CLICKHOUSE__PORT"
    for text in ("70000", "x", "", "[1]"):
        assert refused(**{port: text}).startswith(f"environment: {port}: Expected `int`")
    assert refused(MILLRACE_KAFKA__TOPIC="").startswith("environment: MILLRACE_KAFKA__TOPIC: ")
    text = refused(MILLRACE_PRODUCER__SYMBOLS="{A: [")
    assert text.startswith("environment: MILLRACE_PRODUCER__SYMBOLS: not YAML: ")


YAML_ERRORS = {
    "{a: 's3cret": "while scanning", "{a: [s3cret": "", "{a: *s3cret}": "found undefined alias",
    "{a: !s3cret x}": "could not determine a constructor for the tag", "{a: 's3cret\\x00'": "",
    "{a: s3cret\x01}": "a character that YAML does not allow", "@s3cret": "cannot start any token",
    "a: s3cret: b": "mapping values are not allowed here", '{a: "s3cret\\q"}': "unknown escape",
}  # fmt: skip


@pytest.mark.parametrize(("text", "fact"), YAML_ERRORS.items())
def test_an_error_in_yaml_shows_no_word_of_the_text(file: Path, text: str, fact: str) -> None:
    place = "environment: MILLRACE_API__KEYS: not YAML: "
    in_variable = refused(MILLRACE_API__KEYS=text)
    assert in_variable.startswith(place) and in_variable.endswith("; quote it.")
    in_file = fails(file, f"\n{text}\n")
    for shown in (in_variable, in_file):
        assert fact in shown or fact == "while scanning"
        assert "s3cret" not in shown
    if "character that YAML" not in in_variable:
        assert in_variable.startswith(f"{place}line 1: ")


def test_an_error_in_a_file_names_its_line(file: Path) -> None:
    assert fails(file, "# One.\na: b\nc: d: s3cret\n") == (
        f"{file}: not YAML: line 3: mapping values are not allowed here; fix it."
    )


KEY = "key: 0123456789-s3cret"
WRONG_KEYS = {
    "{me: 0123456789-s3cret-0123}": "Expected `object`, got `str`",
    "{me: [0123456789-s3cret-0123]}": "Expected `object`, got `array`",
    "[0123456789-s3cret-0123]": "Expected `object`, got `array`",
    "{me: {key: s3cret}}": "Expected `str` of length >= 16",
    "{me: {key: 1234567890123456}}": "Expected `str`, got `int`",
    "{me: {rate: 5/minute}}": "missing required field `key`",
    "{me: {kye: 0123456789-s3cret}}": "unknown field - at",
    f"{{me: {{{KEY}, 0123-`s3cret`-0123: 1}}}}": "unknown field - at",
    f"{{me: {{{KEY}, rate: 0/minute}}}}": "matching regex",
    f"{{me: {{{KEY}, rate: 5 per minute}}}}": "matching regex",
    f"{{me: {{{KEY}, rate: 5/day}}}}": "matching regex",
    f"{{me: {{{KEY}, rate: 123456/hour}}}}": "matching regex",
    f"{{me: {{{KEY}, rate: 100}}}}": "Expected `str | null`, got `int`",
    f"{{me: {{{KEY}, only: {{}}}}}}": "of length >= 1",
    f"{{me: {{{KEY}, only: {{symbols: []}}}}}}": "of length >= 1",
    f"{{me: {{{KEY}, only: {{symbols: ['']}}}}}}": "of length >= 1",
    f"{{me: {{{KEY}, only: {{symbols: A}}}}}}": "Expected `array`, got `str`",
    f"{{me: {{{KEY}, only: [A]}}}}": "Expected `object`, got `array`",
    f"{{me: {{{KEY}, only: null}}}}": "Expected `object`, got `null`",
    # YAML reads these words as true.
    f"{{me: {{{KEY}, only: {{symbols: [ON]}}}}}}": "Expected `str`, got `bool`",
}


@pytest.mark.parametrize(("text", "fact"), WRONG_KEYS.items())
def test_a_wrong_entry_of_keys_is_refused_without_showing_a_key(
    file: Path, text: str, fact: str
) -> None:
    in_variable = refused(MILLRACE_API__KEYS=text)
    assert in_variable.startswith("environment: MILLRACE_API__KEYS: ")
    in_file = fails(file, changed("api", keys=yaml.safe_load(text)))
    assert in_file.startswith(f"{file}: ")
    for shown in (in_variable, in_file):
        quoted = re.match("Expected `str`, got `(int|bool)`", fact)
        remedy = 'put it in quotes, as "ON".' if quoted else "; see the comment at that key."
        assert fact in shown and shown.endswith(remedy)
        assert "s3cret" not in shown


def test_the_brokers_options_are_the_file_or_one_line(tmp_path: Path) -> None:
    assert "\nnode.id=1\n" in conf.kafka_properties()
    with pytest.raises(SettingsError) as error:
        conf.kafka_properties(tmp_path / "none")
    assert str(error.value) == f"{tmp_path / 'none'}: not found; restore it from git."


def test_a_group_with_keys_of_the_user_gives_variables(file: Path) -> None:
    file.write_text(changed("alerts", own_limit=7))
    config = conf.load(file, {"MILLRACE_ALERTS__OWN_LIMIT": "8.5"})
    assert config.variables()["ALERTS_OWN_LIMIT"] == "8.5"
    assert refused(MILLRACE_ALERTS__OWN_LIMIT="8").startswith(
        "environment: MILLRACE_ALERTS__OWN_LIMIT is not a setting; "
    )


@pytest.mark.parametrize("key", ["Own", "own-limit", "1"])
def test_a_key_that_cannot_be_a_variable_is_refused(file: Path, key: str) -> None:
    assert f"{file}: " in fails(file, changed("alerts", **{key: 1}))


def test_a_value_may_be_in_a_file(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"${KAFKA_TOPIC} and: 'more'\r\n")
    named = f"${{file:{secret}}}"
    file.write_text(changed("clickhouse", password=named))
    config = conf.load(file, {"MILLRACE_API__KEYS": f"me: {{key: '{named}'}}"})
    assert config.clickhouse.password == "${KAFKA_TOPIC} and: 'more'"
    assert config.api.keys["me"].key == config.clickhouse.password
    (tmp_path / "port").write_text("8124\n")
    config = conf.load(file, {"MILLRACE_CLICKHOUSE__PORT": f"${{file:{tmp_path / 'port'}}}"})
    assert config.clickhouse.port == 8124


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (None, "no such file; make it, or name another."),
        (b"", "has not exactly one line; write one."),
        (b"s3cret\nand\n", "has not exactly one line; write one."),
        (b"s3cret\xff", "is not UTF-8; save it as UTF-8."),
        (b"s3cret" * 20_000, "has more than 65536 bytes; name another."),
    ],
)
def test_a_file_without_a_value_is_refused_and_not_shown(
    file: Path, tmp_path: Path, content: bytes | None, fact: str
) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    named = f"${{file:{secret}}}"
    text = fails(file, changed("clickhouse", password=named))
    assert text.startswith(f"{file}: clickhouse.password: {secret}") and text.endswith(fact)
    name = "MILLRACE_WEBHOOKS"
    value = f"chat: {{url: 'http://a', secret: '{named}', stream: alert_stream}}"
    assert refused(**{name: value}).startswith(f"environment: {name}: {secret}")
    assert "s3cret" not in text


def test_a_folder_and_a_part_of_a_value_are_refused(tmp_path: Path) -> None:
    name = "MILLRACE_CLICKHOUSE__PASSWORD"
    assert "Is a directory" in refused(**{name: f"${{file:{tmp_path}}}"})
    assert refused(**{name: "a${file:/b}"}).endswith("write ${file:<path>} and nothing else.")
    assert refused(**{name: "${file:/b"}).endswith("write ${file:<path>} and nothing else.")
