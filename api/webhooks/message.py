"""A message to a webhook: its id, its body and its signature, as Standard Webhooks defines them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from lib.errors import SettingsError

_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Message:
    """A row of a stream; the id is the same each time that it is sent, so that a receiver can tell
    a repeated one."""

    identity: str
    type: str
    row: bytes

    def body(self, now: float, *, is_repeated: bool) -> bytes:
        """The JSON of the request; `repeated` is true if the receiver may have it already."""
        return msgspec.json.encode(
            {
                "type": self.type,
                "timestamp": datetime.fromtimestamp(now, UTC),
                "repeated": is_repeated,
                "data": msgspec.Raw(self.row),
            }
        )

    def headers(self, key: bytes, now: float, body: bytes) -> dict[str, str]:
        """The headers that prove the sender, with the time in seconds since 1970."""
        text = b".".join([self.identity.encode(), str(int(now)).encode(), body])
        digest = hmac.digest(key, text, hashlib.sha256)
        return {
            "Content-Type": "application/json",
            "webhook-id": self.identity,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }


def message(kind: str, source: str, offset: int, row: bytes) -> Message:
    """The message of a row, which its source and offset identify."""
    digest = hashlib.sha256(f"{source}{offset}".encode()).hexdigest()
    return Message(f"msg_{digest[:32]}", kind, row)


def key(place: str, secret: str) -> bytes:
    """The bytes of a secret: those in Base64 after whsec_, else its text; raise SettingsError."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise SettingsError(f"{place}: not in Base64 after {_PREFIX}; correct it.") from None
