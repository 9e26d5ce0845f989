"""The errors that capelib raises on purpose.

Each message is one line: what was wrong, where, and what to do.
"""

from linecache import getline
from pathlib import Path
from traceback import walk_tb

_PACKAGE = str(Path(__file__).parent)


class CapeError(Exception):
    """Base of all errors raised on purpose: the `cape` command shows the message alone.

    A notebook shows the reader's own line and the message, and no line of capelib.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        lines = []
        for frame, number in walk_tb(self.__traceback__):
            file = frame.f_code.co_filename
            code = getline(file, number).strip()
            if code and not file.startswith(_PACKAGE) and "site-packages" not in file:
                lines = [f"line {number}: {code}"]  # the last of the reader's own
        return [*lines, f"{type(self).__name__}: {self}"]


class ParameterError(CapeError, ValueError):
    """An argument or notebook parameter is unknown, of the wrong type or out of range."""


class DataError(CapeError, ValueError):
    """A file cannot be used as data at all. (Single bad rows do not raise: they are set aside.)"""


class TooFewCases(CapeError, ValueError):
    """The data holds too few cases for this estimate; the message says what would be needed."""
