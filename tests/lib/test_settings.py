from rich.pretty import pretty_repr

from tests.lib.test_conf import KEY, load


def test_no_password_and_no_key_is_shown() -> None:
    config = load(
        {
            "MILLRACE_CLICKHOUSE__PASSWORD": "s3cret",
            "MILLRACE_CLICKHOUSE__READER_PASSWORD": "s3cret",
            "MILLRACE_API__KEYS": "{me: {key: s3cret-s3cret-s3cret, rate: 1/second}}",
        }
    )
    for shown in (repr(config), str(config), pretty_repr(config), repr(config.clickhouse)):
        assert "s3cret" not in shown and "port=8123" in shown
        assert "password='***'" in shown and "user='default'" in shown
    assert "password=''" in repr(load())


def test_a_key_may_have_a_restriction_and_a_rate() -> None:
    text = f"{{me: {{{KEY}}}, you: {{{KEY}, only: {{symbols: [A, 'ON']}}, rate: 100/minute}}}}"
    keys = load({"MILLRACE_API__KEYS": text}).api.keys
    assert (keys["me"].only, keys["me"].rate) == ({}, None)
    assert (keys["you"].only, keys["you"].rate) == ({"symbols": ["A", "ON"]}, "100/minute")
    for shown in (repr(keys), str(keys["you"]), pretty_repr(keys)):
        assert "s3cret" not in shown and "100/minute" in shown


def test_variables_are_the_plain_settings_without_secrets() -> None:
    config = load(
        {
            "MILLRACE_CLICKHOUSE__PASSWORD": "s3cret",
            "MILLRACE_CLICKHOUSE__READER_PASSWORD": "h1dden",
        }
    ).variables()
    assert config["KAFKA_TOPIC"] == "stock-ticks"
    assert config["TICKS_SYMBOL_PATTERN"] == "[A-Z0-9.-]{1,16}"
    assert config["CLICKHOUSE_PORT"] == "8123"
    assert not {"s3cret", "h1dden"} & set(config.values())
    assert not [name for name in config if "PASSWORD" in name or "SYMBOLS" in name]
