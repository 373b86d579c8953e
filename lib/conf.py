"""Read the files of conf/. The environment overrides millrace.yaml: MILLRACE_<SECTION>__<KEY>.

A text of either may be `${file:<path>}`: then it is what that file has, as secrets that Docker or
Kubernetes mount."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_origin

import msgspec
import yaml

from lib.errors import SettingsError, did_you_mean, one_line
from lib.files import show
from lib.pattern import Pattern
from lib.settings import Name, Section, Settings

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "conf" / "millrace.yaml"
FLINK_FILE = ROOT / "conf" / "flink.yaml"
KAFKA_FILE = ROOT / "conf" / "kafka.properties"
PREFIX = "MILLRACE_"

# A field in the place of `key` may be the key itself.
_WRITTEN = re.compile(r"unknown field `.*`( - at `\$\.api\.keys)", re.DOTALL)
# A text that is in a file of its own, which is not longer than so many bytes.
_IN_FILE = re.compile(r"\$\{file:(?P<path>[^}]*)\}")
_LONGEST = 65_536
# The types that YAML gives to a text without quotes.
_NO_TEXT = re.compile(r"Expected `str`, got `(bool|int|float|null|date|datetime)`")
_QUOTES = 'YAML reads words as ON and NO, and numbers, as no text: put it in quotes, as "ON"'


def load(file: Path = FILE, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the file, then apply the environment; raise SettingsError that names file and key."""
    values = _read(file)
    _check_known(values, show(file))
    overrides = _overrides(environ)
    for name, path, text in overrides:
        _set(values, name, path, text)
    values = _resolved(values, "", {".".join(path): name for name, path, _ in overrides}, file)
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        places = [name for name, path, _ in overrides if f"`$.{'.'.join(path)}" in str(error)]
        place = f"environment: {places[0]}" if places else show(file)
        fact = _WRITTEN.sub(r"unknown field\1", str(error))
        remedy = _QUOTES if _NO_TEXT.match(fact) else "see the comment at that key"
        raise SettingsError(f"{place}: {fact}; {remedy}.") from None
    return msgspec.structs.replace(
        settings, data_dir=_absolute(settings.data_dir), sql_dir=_absolute(settings.sql_dir)
    )


def flink_options(file: Path = FLINK_FILE) -> dict[str, str]:
    """Flink's own options as the file has them; raise SettingsError if it is no flat mapping."""
    values = _read(file)
    for key, value in values.items():
        if isinstance(value, dict | list):
            raise SettingsError(f"{show(file)}: {key} holds more than one value; write it flat.")
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in values.items()
    }


def kafka_properties(file: Path = KAFKA_FILE) -> str:
    """The embedded broker's own options as the file has them; raise SettingsError without one."""
    return _read_text(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(_read_text(file))
    except yaml.YAMLError as error:
        # Not `from error`, which holds the line.
        raise SettingsError(f"{show(file)}: not YAML: {_yaml_problem(error)}; fix it.") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{show(file)}: holds no keys; restore it from git.")
    return {str(key): value for key, value in values.items()}


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SettingsError(f"{show(file)}: not found; restore it from git.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{show(file)}: cannot be read: {error}; fix that.") from error


def _check_known(values: Mapping[str, Any], place: str) -> None:
    for key, value in values.items():
        section = _section(key)
        if key not in Settings.__struct_fields__:
            raise _unknown(place, key, Settings.__struct_fields__, key)
        if section and isinstance(value, dict):
            for name in map(str, value):
                if name not in section.__struct_fields__:
                    raise _unknown(place, f"{key}.{name}", section.__struct_fields__, name)


def _overrides(environ: Mapping[str, str]) -> list[tuple[str, list[str], str]]:
    return [
        (name, name.removeprefix(PREFIX).lower().split("__"), text)
        for name, text in sorted(environ.items())
        if name.startswith(PREFIX)
    ]


def _set(values: dict[str, Any], name: str, path: list[str], text: str) -> None:
    """Set one environment variable's text; refuse a variable that names no setting."""
    section = _section(path[0])
    if len(path) == 1 and path[0] in Settings.__struct_fields__ and not section:
        values[path[0]] = _parse(name, text) if _is_open(path[0]) else text
    elif len(path) == 2 and section and path[1] in section.__struct_fields__:
        # YAML, so that a list or a mapping can be given on one line.
        is_text = section.__annotations__[path[1]] in (str, Name, Pattern)
        group = values.setdefault(path[0], {})
        if isinstance(group, dict):
            group[path[1]] = text if is_text else _parse(name, text)
    elif len(path) == 2 and path[1] in _own_keys(values, path[0]):
        values[path[0]][path[1]] = _parse(name, text)
    else:
        raise _unknown("environment", name, _names(values), name)


def _resolved(value: Any, key: str, overrides: Mapping[str, str], file: Path) -> Any:
    """A value, and all values in it, with the texts of files in the place of their paths; raise
    SettingsError that names the variable or the key."""
    if isinstance(value, dict):
        inner = f"{key}." if key else ""
        return {k: _resolved(v, f"{inner}{k}", overrides, file) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(each, key, overrides, file) for each in value]
    if not isinstance(value, str) or "${file:" not in value:
        return value
    # A variable may have set a group with this key.
    named = next((n for path, n in overrides.items() if f"{key}.".startswith(f"{path}.")), "")
    place = f"environment: {named}" if named else f"{show(file)}: {key}"
    match = _IN_FILE.fullmatch(value)
    if not match:
        raise SettingsError(
            f"{place}: more than the name of a file; write ${{file:<path>}} and nothing else."
        )
    return _secret(place, Path(match["path"]))


def _secret(place: str, path: Path) -> str:
    """The text of a file without the end of its last line."""
    try:
        # A folder is relative to the project, as others of conf/ are.
        with _absolute(path).open("rb") as opened:
            text = opened.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise SettingsError(f"{place}: {path} has more than {_LONGEST} bytes; name another.")
        decoded = text.decode().removesuffix("\n").removesuffix("\r")
    except FileNotFoundError:
        raise SettingsError(f"{place}: {path}: no such file; make it, or name another.") from None
    except OSError as error:
        raise SettingsError(f"{place}: {path}: {error.strerror}; fix that.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{place}: {path} is not UTF-8; save it as UTF-8.") from None
    if not decoded or "\n" in decoded or "\0" in decoded:
        raise SettingsError(f"{place}: {path} has not exactly one line; write one.")
    return decoded


def _own_keys(values: Mapping[str, Any], key: str) -> Sequence[str]:
    """The keys of a group whose keys are the user's, as the file has them."""
    group = values.get(key)
    return [*map(str, group)] if _is_open(key) and isinstance(group, dict) else []


def _is_open(key: str) -> bool:
    """Whether the keys of a group are the user's."""
    return get_origin(Settings.__annotations__.get(key)) is dict


def _parse(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        fact = _yaml_problem(error)
        raise SettingsError(f"environment: {name}: not YAML: {fact}; quote it.") from None


def _yaml_problem(error: yaml.YAMLError) -> str:
    """The problem and its line, without a word of the text, which may be a password."""
    if not isinstance(error, yaml.MarkedYAMLError) or not error.problem_mark:
        return "it holds a character that YAML does not allow"
    fact = re.sub(r" (['\"])(?!<).*\1", "", one_line(error.problem))
    return f"line {error.problem_mark.line + 1}: {fact}"


def _names(values: Mapping[str, Any]) -> list[str]:
    names = []
    for key in Settings.__struct_fields__:
        section = _section(key)
        keys = section.__struct_fields__ if section else _own_keys(values, key)
        fields = [f"__{field}" for field in keys] or [""]
        names += [f"{PREFIX}{key}{field}".upper() for field in fields]
    return names


def _section(key: str) -> type[Section] | None:
    kind = Settings.__annotations__.get(key)
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _unknown(place: str, key: str, known: Any, wrong: str) -> SettingsError:
    return SettingsError(f"{place}: {key} is not a setting; {did_you_mean(wrong, known)}")


def _absolute(path: Path) -> Path:
    return path if path.is_absolute() else ROOT / path


def _decode(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    if kind is Pattern and isinstance(value, str):
        return Pattern(value)
    if kind is Pattern:
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
    raise NotImplementedError(kind)
