"""Keys: whose a request is, which values of parameters it may ask for, and how often it may ask."""

import difflib
import hmac
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import limits
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.contract.endpoints import Endpoint
from api.contract.parameters import Param
from api.problems import ProblemError
from lib.errors import SettingsError
from lib.settings import Api, Key

# The values of each parameter that a key may ask for; a key without such a rule may ask for all.
Only = Mapping[str, list[str]]
ALL: Only = MappingProxyType({})


def holder(authorization: bytes, keys: Mapping[str, Key]) -> str | None:
    """Whose key it is. Each is compared, in a time that tells nothing of how much of one is
    right."""
    scheme, _, given = authorization.partition(b" ")
    is_same = {n: hmac.compare_digest(given.strip(), k.key.encode()) for n, k in keys.items()}
    found = [name for name, same in is_same.items() if same]
    return found[0] if found and scheme.lower() == b"bearer" else None


def is_unrestricted(authorization: str, settings: Api) -> bool:
    """Whether a request to an open address may see what is not: without keys anybody may."""
    if not settings.keys:
        return True
    owner = holder(authorization.encode("latin-1"), settings.keys)
    return owner is not None and not settings.keys[owner].only


def attach(scope: Mapping[str, Any], only: Only) -> None:
    """Leave the rule of a request's key for those who answer it."""
    scope["state"]["only"] = only


def only(scope: Mapping[str, Any]) -> Only:
    """The rule that stands for a request: handed on with it, by `attach` alone."""
    found: Only = scope["state"].get("only", ALL)
    return found


def counted(keys: Mapping[str, Key]) -> Callable[[str], ProblemError | None]:
    """What counts the requests of each key, and says so when one is too many."""
    rates = {name: limits.parse(key.rate) for name, key in keys.items() if key.rate}
    windows = MovingWindowRateLimiter(MemoryStorage())

    def count(name: str) -> ProblemError | None:
        rate = rates.get(name)
        if rate is None or windows.hit(rate, name):
            return None
        wait = math.ceil(windows.get_window_stats(rate, name).reset_time - time.time())
        detail = f"This key may ask {keys[name].rate}; wait."
        return ProblemError(429, detail, {"Retry-After": str(max(wait, 1))})

    return count


def is_usable(endpoint: Endpoint, only: Only) -> bool:
    """Whether an endpoint has every parameter that a key is held to."""
    return {*only} <= {param.name for param in endpoint.params}


def check_usable(endpoint: Endpoint, only: Only) -> None:
    """Raise ProblemError for an endpoint that cannot be held to what the key may see."""
    for name in {*only} - {param.name for param in endpoint.params}:
        raise ProblemError(
            403,
            f"This key sees only some {name}, and /api/{endpoint.name} cannot be narrowed to them.",
            parameter=name,
            takes=only[name],
        )


def restrict(param: Param, value: Any, only: Only, *, is_given: bool) -> Any:
    """The value itself, or what the key may see in the place of a default; raise ProblemError for a
    value that it may not ask for."""
    if param.name not in only:
        return value
    allowed = _readable(param, only[param.name])
    asked = value if param.is_array else [value]
    # An empty list stands for all there is.
    if asked and all(item in allowed for item in asked):
        return value
    if param.is_array and not is_given and allowed:
        return allowed
    texts = only[param.name]
    detail = f"{param.name}: this key may ask only for {', '.join(texts)}."
    raise ProblemError(403, detail, parameter=param.name, takes=texts)


def check(keys: Mapping[str, Key], endpoints: Iterable[Endpoint]) -> None:
    """Raise SettingsError for a key that is another's, or is held to what no endpoint has."""
    owners: dict[str, str] = {}
    params: dict[str, list[Param]] = {}
    for param in (param for endpoint in endpoints for param in endpoint.params):
        params.setdefault(param.name, []).append(param)
    for owner, key in keys.items():
        first = owners.setdefault(key.key, owner)
        if first != owner:
            raise SettingsError(f"api.keys: {first} and {owner} have one key; give each its own.")
        for name, texts in key.only.items():
            _check_only(f"api.keys.{owner}.only", name, texts, params)


def _check_only(place: str, name: str, texts: list[str], params: Mapping[str, list[Param]]) -> None:
    if name not in params:
        near = difflib.get_close_matches(name, params, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(params))}."
        raise SettingsError(f"{place}: no endpoint has a parameter {name}; {remedy}")
    for text in texts:
        if not any(_readable(param, [text]) for param in params[name]):
            takes = params[name][0].takes
            raise SettingsError(f"{place}: {name} is never {text!r}; each value must be {takes}.")


def _readable(param: Param, texts: list[str]) -> list[Any]:
    """Those of the texts that a parameter takes, as its values."""
    found = []
    for text in texts:
        try:
            value = param.scalar.read(text)
        except ValueError:
            continue
        if not param.pattern or re.fullmatch(param.pattern, text):
            found.append(value)
    return found
