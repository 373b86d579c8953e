"""A regular expression as the value of a setting."""

import re
import warnings


class Pattern(str):
    """A regular expression that a whole text must match, and that means the same in Java."""

    def __new__(cls, text: str) -> "Pattern":
        """Raise ValueError if it is malformed, or if Python and Java read it differently."""
        with warnings.catch_warnings():
            # Python warns of what Java reads as a set within a set.
            warnings.simplefilter("error")
            try:
                is_wrong = re.compile(text, re.ASCII).fullmatch("") or not text.isprintable()
            except (re.error, Warning) as error:
                raise ValueError(f"{text!r} is not a regular expression ({error})") from None
        if is_wrong:
            raise ValueError(f"{text!r} matches the empty text, or has a control character")
        return super().__new__(cls, text)

    def matches(self, text: str) -> bool:
        return re.fullmatch(self, text, re.ASCII) is not None
