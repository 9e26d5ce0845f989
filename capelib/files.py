"""Small files: JSON that depends on its content alone, cells of notebooks, atomic writing."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from capelib.errors import CapeError

Kind = TypeVar("Kind", dict, list, str)
PROVENANCE = "provenance.json"
ANSWER = "answer.json"
FORMATS = "CAPELIB_FORMATS"  # environment variable: what figures are written as besides SVG


class Form(StrEnum):
    """What a figure can be written as besides SVG."""

    PNG = "png"
    PDF = "pdf"


SOURCE = ".source"  # in a folder of results: what they were made from


def read_provenance(folder: Path) -> dict[str, Any]:
    """What does provenance.json of a folder say? Empty where there is none."""
    return read_json(folder / PROVENANCE)


def read_json(path: Path) -> dict[str, Any]:
    """What does a JSON file hold? Empty where there is none, or no object can be read from it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def part(content: dict[str, Any], name: str, kind: type[Kind]) -> Kind:
    """What does a JSON object hold under a name? Empty where it is of another kind: a file may be
    damaged.
    """
    value = content.get(name)
    return value if isinstance(value, kind) else kind()


def outputs_of(folder: Path, record: str = PROVENANCE) -> set[str]:
    """Which files did the run write that provenance.json of a folder describes?

    Its figures in PNG and PDF, which provenance.json leaves out, and itself too. Other files in the
    folder are its owner's.
    """
    outputs = [name for name in part(read_json(folder / record), "outputs", dict) if _inside(name)]
    return {*outputs, *pictures_beside(outputs), PROVENANCE, SOURCE}


def pictures_beside(names: Iterable[str]) -> set[str]:
    """Under which names does `cape.figures.save` write figures in other formats, beside an SVG?"""
    drawn = [name.removesuffix(".svg") for name in names if name.endswith(".svg")]
    return {f"{name}.{form}" for name in drawn for form in Form}


def _inside(name: str) -> bool:
    """Whether a path leads to a file below the folder that it starts from."""
    path = Path(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def sha256(file: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def require_real_folder(folder: Path) -> None:
    """Raises CapeError for a link in place of a folder of results: its files are somebody's."""
    if folder.is_symlink():
        raise CapeError(
            f"{folder} is a link to another folder: delete the link, or move the folder"
        )


def source_mark(folder: Path, *sources: str | Path) -> str:
    """By which checksum does a folder of results know what they were made from?

    Parameters
    ----------
    folder
        Of the results.
    sources
        Files, folders or addresses. A checksum of where they lie, seen from the folder: it names
        nobody, and holds where the whole project is moved.
    """
    digest = hashlib.sha256()
    for source in sources:
        place = str(source)
        if "://" not in place:
            place = os.path.relpath(Path(source).expanduser().resolve(), folder.resolve())
        digest.update(place.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()


def mark_of(record: Path) -> str:
    """Which `source_mark` does a file hold? Empty where there is none."""
    try:
        return record.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def cells(notebook: Path) -> list[dict[str, Any]]:
    """Which cells does a notebook have?

    Raises
    ------
    CapeError
        For a file that is no notebook.
    """
    return _notebook(notebook)["cells"]


def language(notebook: Path) -> str:
    """In which language are the cells of a notebook? "python" where it does not say.

    Raises
    ------
    CapeError
        For a file that is no notebook.
    """
    metadata = part(_notebook(notebook), "metadata", dict)
    named = (
        part(part(metadata, "kernelspec", dict), "language", str),
        part(part(metadata, "language_info", dict), "name", str),
    )
    others = [name for name in named if name and name.lower() not in ("python", "ipython")]
    return others[0] if others else "python"


def _notebook(path: Path) -> dict[str, Any]:
    try:
        stat = path.stat()
        return _notebook_as_of(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CapeError(f"{path} cannot be read as a notebook") from None


@lru_cache(maxsize=64)
def _notebook_as_of(path: Path, _changed: int, _size: int) -> dict[str, Any]:
    """A notebook as of this time; kept, since each run of a sweep asks and pictures are large."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        cell["cell_type"], cell["source"]
    return content


def as_json(content: Any) -> bytes:
    """How is something written as JSON, so that the bytes depend on the content alone?"""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def write_files(folder: Path, files: Mapping[str, bytes | Callable[[Path], None]]) -> None:
    """Write several files, all or none of them: under temporary names first, then moved.

    Parameters
    ----------
    folder
        Made where it is missing.
    files
        By name: the content, or a function that writes it to a path (for what should not stand in
        memory as a whole).

    Raises
    ------
    CapeError
        Where the folder cannot be written.
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
