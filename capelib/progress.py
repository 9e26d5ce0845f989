"""How far is a long loop? One line, which is written anew.

tqdm and rich need ipywidgets for that in a notebook: without them `tqdm.auto` leaves "IProgress not
found" and a line of the error stream in the saved notebook, rich a note on ipywidgets and no bar.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, Protocol, TypeVar

AFTER = 2.0  # seconds that a loop must have run before anything is shown
EVERY = 0.5  # seconds between two states of the line
Item = TypeVar("Item")
_CLEARED = "\r\x1b[K"  # the line of a terminal, blank again
_running: list[str] = []  # what the loop that shows its line goes over: one at a time


class _Line(Protocol):
    def write(self, text: str) -> None: ...
    def end(self, text: str) -> None: ...


def progress(items: Iterable[Item], what: str, count: int | None = None) -> Iterator[Item]:
    """The items one by one; what takes longer than two seconds says how far it is.

    A notebook that a reader has open, and a terminal, show one line. Nothing is shown where nobody
    looks: in a notebook that papermill or nbconvert runs, in a pipe, and by a loop inside another.

    Parameters
    ----------
    items
        A list, or whatever gives `count` items.
    what
        What they are, in the plural: "choices".
    count
        How many there are; by default the length of `items`.

    Examples
    --------
    >>> list(progress(["a", "b"], "letters"))
    ['a', 'b']
    """
    line = None if _running else _line()
    if line is None:
        yield from items
        return
    total = len(items) if count is None and isinstance(items, Sized) else count or 0
    start = written = time.monotonic()
    shown, done = False, 0
    _running.append(what)
    try:
        for item in items:
            now = time.monotonic()
            if now - start >= AFTER and now - written >= EVERY and done:
                left = (now - start) / done * (total - done)
                line.write(f"{done} of {total} {what}, about {left:.0f} s left")
                shown, written = True, now
            yield item
            done += 1
    finally:
        _running.remove(what)
        if shown:
            ending = "" if done == total else ", stopped"
            seconds = time.monotonic() - start
            line.end(f"{done} of {total} {what} in {seconds:.0f} s{ending}")


def _line() -> _Line | None:
    """Where the line is shown; None where nobody looks."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        # Who runs a notebook for nobody cannot be asked: nbclient, papermill and nbval say so.
        return _InNotebook() if getattr(kernel, "_allow_stdin", False) else None
    return _OnTerminal() if sys.stderr is not None and sys.stderr.isatty() else None


class _InNotebook:
    """An output of the cell, of which only the last state is saved."""

    def __init__(self) -> None:
        self._handle: Any = None

    def write(self, text: str) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(_Words(text), display_id=True)
        else:
            self._handle.update(_Words(text))

    end = write


class _OnTerminal:
    """The last line of a terminal, which is blank afterwards."""

    def write(self, text: str) -> None:
        sys.stderr.write(f"{_CLEARED}{text}")
        sys.stderr.flush()

    def end(self, text: str) -> None:
        del text
        self.write("")


class _Words(str):
    """A text that a notebook shows without quotes."""

    def __repr__(self) -> str:
        return str(self)
