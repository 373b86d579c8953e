from rich.pretty import pretty_repr

from tests.lib.test_conf import KEY, load


def test_no_password_and_no_key_is_shown() -> None:
    found = load(
        {
            "MILLRACE_CLICKHOUSE__PASSWORD": "s3cret",
            "MILLRACE_CLICKHOUSE__READER_PASSWORD": "s3cret",
            "MILLRACE_API__KEYS": "{me: {key: s3cret-s3cret-s3cret, rate: 1/second}}",
        }
    )
    for shown in (repr(found), str(found), pretty_repr(found), repr(found.clickhouse)):
        assert "s3cret" not in shown and "port=8123" in shown
        assert "password='***'" in shown and "user='default'" in shown
    assert "password=''" in repr(load())


def test_a_key_has_a_rule_and_a_rate_if_it_is_given_one() -> None:
    text = f"{{me: {{{KEY}}}, you: {{{KEY}, only: {{symbols: [A, 'ON']}}, rate: 100/minute}}}}"
    keys = load({"MILLRACE_API__KEYS": text}).api.keys
    assert (keys["me"].only, keys["me"].rate) == ({}, None)
    assert (keys["you"].only, keys["you"].rate) == ({"symbols": ["A", "ON"]}, "100/minute")
    for shown in (repr(keys), str(keys["you"]), pretty_repr(keys)):
        assert "s3cret" not in shown and "100/minute" in shown


def test_variables_are_the_plain_settings_and_no_secret() -> None:
    found = load(
        {
            "MILLRACE_CLICKHOUSE__PASSWORD": "s3cret",
            "MILLRACE_CLICKHOUSE__READER_PASSWORD": "h1dden",
        }
    ).variables()
    assert found["KAFKA_TOPIC"] == "stock-ticks"
    assert found["TICKS_SYMBOL_PATTERN"] == "[A-Z0-9.-]{1,16}"
    assert found["CLICKHOUSE_PORT"] == "8123"
    assert not {"s3cret", "h1dden"} & set(found.values())
    assert not [name for name in found if "PASSWORD" in name or "SYMBOLS" in name]
