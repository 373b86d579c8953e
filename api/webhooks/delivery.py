"""How far a webhook has received a stream: a file, written before and after each request."""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from lib import files
from lib.errors import SetupError, one_line
from lib.files import show


class _State(msgspec.Struct):
    # The id of the last event of which all rows were delivered.
    event: str = ""
    # Of the rows after it, those that were delivered, and the one that is being sent.
    delivered: list[str] = []
    sending: str = ""


@dataclass(slots=True)
class Delivery:
    """The state of one webhook. A message is recorded before it is sent: if the process ends before
    the answer, the next one sends it again and says so."""

    file: Path
    state: _State = field(default_factory=_State)

    @classmethod
    def load(cls, file: Path) -> "Delivery":
        """Read the file, which need not be there; raise SetupError if it is damaged."""
        try:
            return cls(file, msgspec.json.decode(file.read_bytes(), type=_State))
        except FileNotFoundError:
            return cls(file)
        except OSError as error:
            raise _failed(file, error) from None
        except msgspec.MsgspecError as error:
            raise SetupError(
                f"{show(file)}: {one_line(error)}; remove it, then only new rows are sent."
            ) from None

    @property
    def event(self) -> str:
        """Where to continue; empty at the first start."""
        return self.state.event

    def is_delivered(self, identity: str) -> bool:
        return identity in self.state.delivered

    def begin(self, identity: str) -> bool:
        """Note that a message is about to be sent; return whether it may have been sent before."""
        is_repeated = self.state.sending == identity
        self.state.sending = identity
        self._save()
        return is_repeated

    def end(self, identity: str) -> None:
        """Note that a message was received."""
        self.state.delivered.append(identity)
        self.state.sending = ""
        self._save()

    def advance(self, event: str) -> None:
        """Note that all rows up to this event were received."""
        self.state = _State(event)
        self._save()

    def _save(self) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            files.replace(self.file, msgspec.json.encode(self.state).decode())
        except OSError as error:
            raise _failed(self.file, error) from None


def _failed(file: Path, error: OSError) -> SetupError:
    return SetupError(f"{show(file)}: {error.strerror}; fix that, then start the webhooks again.")
