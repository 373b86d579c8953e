"""What a text must look like, as a setting says it."""

import re
import warnings


class Pattern(str):
    """A regular expression that a whole text must match, in what Python and Java read alike."""

    def __new__(cls, text: str) -> "Pattern":
        """Raise ValueError for one that means nothing, or not the same to both."""
        with warnings.catch_warnings():
            # Python warns where others read a set within a set.
            warnings.simplefilter("error")
            try:
                is_wrong = re.compile(text, re.ASCII).fullmatch("") or not text.isprintable()
            except (re.error, Warning) as error:
                raise ValueError(f"{text!r} is no regular expression ({error})") from None
        if is_wrong:
            raise ValueError(f"{text!r} matches the empty text, or has a control character")
        return super().__new__(cls, text)

    def matches(self, text: str) -> bool:
        return re.fullmatch(self, text, re.ASCII) is not None
