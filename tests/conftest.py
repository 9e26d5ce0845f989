"""How many examples hypothesis draws, and fixtures that several files use.

`make test` draws a tenth of each test's examples; `make test-all` asks for all of them with
`--hypothesis-profile=all`.
"""

import signal
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("all", max_examples=100, deadline=None)
hypothesis.settings.register_profile("tenth", max_examples=10, deadline=None)
hypothesis.settings.load_profile("tenth")

# A shell starts what goes on in the background with Ctrl-C switched off, and so would be the
# programs that the tests start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Writes a CSV file of the given lines and returns its path."""

    def write(*lines: str, name: str = "mine.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding)
        return path

    return write
