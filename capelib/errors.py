"""The errors that capelib raises on purpose.

Each message is one line: what was wrong, where, and what to do.
"""


class CapeError(Exception):
    """Base of all errors raised on purpose: the `cape` command shows the message alone."""


class ParameterError(CapeError, ValueError):
    """An argument or notebook parameter is unknown, of the wrong type or out of range."""


class DataError(CapeError, ValueError):
    """A file cannot be used as data at all. (Single bad rows do not raise: they are set aside.)"""


class TooFewCases(CapeError, ValueError):
    """The data holds too few cases for this estimate; the message says what would be needed."""
