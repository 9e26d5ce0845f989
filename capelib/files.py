"""Small files: JSON that depends on its content alone, the cells of notebooks, and writing whole or not at all."""

import json
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from capelib.errors import CapeError

PROVENANCE = "provenance.json"
ANSWER = "answer.json"


def read_provenance(folder: Path) -> dict[str, Any]:
    """What provenance.json of a folder says; empty where there is none or it cannot be read."""
    return read_json(folder / PROVENANCE)


def read_json(path: Path) -> dict[str, Any]:
    """What a JSON file holds; empty where there is none or it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def cells(notebook: Path) -> list[dict[str, Any]]:
    """The cells of a notebook. Raises CapeError for a file that is none."""
    try:
        stat = notebook.stat()
        return _cells(notebook, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, KeyError, TypeError):
        raise CapeError(f"{notebook} cannot be read as a notebook") from None


@lru_cache(maxsize=64)
def _cells(notebook: Path, _changed: int, _size: int) -> list[dict[str, Any]]:
    """The cells as of this time: read once, since a sweep asks for them with every run, and pictures make notebooks large."""
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def as_json(content: Any) -> bytes:
    """JSON bytes that depend on the content alone."""
    return (
        json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def write_files(folder: Path, files: Mapping[str, bytes | Callable[[Path], None]]) -> None:
    """Write several files whole or not at all: temporary names first, then moves.

    files: by name, the content, or a function that writes it to a path (for what should not stand in memory as a whole).
    """
    waiting: list[tuple[Path, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            temporary = folder / f".{name}.{os.getpid()}.tmp"
            waiting.append((temporary, folder / name))
            if isinstance(content, bytes):
                temporary.write_bytes(content)
            else:
                content(temporary)
        while waiting:
            temporary, final = waiting[0]
            temporary.replace(final)
            waiting.pop(0)
    except OSError as error:
        raise CapeError(
            f"cannot write to {folder}: {error.strerror or error}; choose another folder"
        ) from None
    finally:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
