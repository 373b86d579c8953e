"""API keys: the owner of a request's key, the values that it may read, and its rate limit."""

import hmac
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

import limits
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.contract.endpoints import Endpoint
from api.contract.parameters import Parameter, parse_item
from api.problems import ProblemError
from lib.errors import SettingsError, did_you_mean
from lib.settings import Api, Key

# The allowed values by parameter; a parameter that is not in it has no restriction.
Restrictions = Mapping[str, list[str]]
UNRESTRICTED: Restrictions = MappingProxyType({})


def owner_of(authorization: bytes, keys: Mapping[str, Key]) -> str | None:
    """The owner of the key in an Authorization header. Each key is compared, in constant time."""
    scheme, _, token = authorization.partition(b" ")
    is_equal = {n: hmac.compare_digest(token.strip(), k.key.encode()) for n, k in keys.items()}
    owners = [name for name, equal in is_equal.items() if equal]
    return owners[0] if owners and scheme.lower() == b"bearer" else None


def is_unrestricted(authorization: str, settings: Api) -> bool:
    """Whether a request without a check of its key may read everything."""
    if not settings.keys:
        return True
    owner = owner_of(authorization.encode("latin-1"), settings.keys)
    return owner is not None and not settings.keys[owner].only


def attach(scope: Mapping[str, Any], restrictions: Restrictions) -> None:
    """Keep the restrictions of a request's key with the request."""
    scope["state"]["restrictions"] = restrictions


def restrictions_of(scope: Mapping[str, Any]) -> Restrictions:
    """The restrictions of a request, which `attach` has kept."""
    restrictions: Restrictions = scope["state"].get("restrictions", UNRESTRICTED)
    return restrictions


def rate_limiter(keys: Mapping[str, Key]) -> Callable[[str], ProblemError | None]:
    """A function that counts the requests of each owner and returns a problem beyond the rate."""
    rates = {name: limits.parse(key.rate) for name, key in keys.items() if key.rate}
    windows = MovingWindowRateLimiter(MemoryStorage())

    def count(owner: str) -> ProblemError | None:
        rate = rates.get(owner)
        if rate is None or windows.hit(rate, owner):
            return None
        seconds = math.ceil(windows.get_window_stats(rate, owner).reset_time - time.time())
        detail = f"The rate limit of this key is {keys[owner].rate}; wait."
        return ProblemError(429, detail, {"Retry-After": str(max(seconds, 1))})

    return count


def missing_parameters(endpoint: Endpoint, restrictions: Restrictions) -> set[str]:
    """The restricted parameters that an endpoint does not have, so that it cannot be used."""
    return {*restrictions} - {parameter.name for parameter in endpoint.parameters}


def check_usable(endpoint: Endpoint, restrictions: Restrictions) -> None:
    """Raise ProblemError for an endpoint that cannot be restricted."""
    for name in missing_parameters(endpoint, restrictions):
        raise ProblemError(
            403,
            f"This key may read only some {name}, and /api/{endpoint.name} cannot be restricted to "
            "them.",
            parameter=name,
            takes=restrictions[name],
        )


def restrict(
    parameter: Parameter, value: Any, restrictions: Restrictions, *, is_default: bool
) -> Any:
    """The value itself, or all allowed values in place of a default list; raise ProblemError for a
    value that is not allowed."""
    if parameter.name not in restrictions:
        return value
    texts = restrictions[parameter.name]
    allowed = _valid(parameter, texts)
    values = value if parameter.is_array else [value]
    # An empty list means all values.
    if values and all(each in allowed for each in values):
        return value
    if parameter.is_array and is_default and allowed:
        return allowed
    detail = f"{parameter.name}: this key may read only {', '.join(texts)}."
    raise ProblemError(403, detail, parameter=parameter.name, takes=texts)


def check(keys: Mapping[str, Key], endpoints: Iterable[Endpoint]) -> None:
    """Raise SettingsError for equal keys, and for a restriction that no endpoint can respect."""
    owners: dict[str, str] = {}
    parameters: dict[str, list[Parameter]] = {}
    for endpoint in endpoints:
        for parameter in endpoint.parameters:
            parameters.setdefault(parameter.name, []).append(parameter)
    for owner, key in keys.items():
        first = owners.setdefault(key.key, owner)
        if first != owner:
            raise SettingsError(f"api.keys: {first} and {owner} have one key; give each its own.")
        for name, texts in key.only.items():
            _check_restriction(f"api.keys.{owner}.only", name, texts, parameters)


def _check_restriction(
    place: str, name: str, texts: list[str], parameters: Mapping[str, list[Parameter]]
) -> None:
    if name not in parameters:
        remedy = did_you_mean(name, sorted(parameters), "there are")
        raise SettingsError(f"{place}: no endpoint has a parameter {name}; {remedy}")
    for text in texts:
        if not any(_valid(parameter, [text]) for parameter in parameters[name]):
            takes = parameters[name][0].takes
            raise SettingsError(f"{place}: {name} is never {text!r}; each value must be {takes}.")


def _valid(parameter: Parameter, texts: list[str]) -> list[Any]:
    """The values of the texts that are valid for a parameter."""
    values = []
    for text in texts:
        with suppress(ValueError):
            values.append(parse_item(parameter, text))
    return values
