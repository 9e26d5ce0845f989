"""Folders of results: nothing in them is replaced or removed but what a run is known to have made.

What a run writes is put in place when it has succeeded, `provenance.json` last. A file of somebody
else that is in the way refuses the run; one of a run that was edited since is kept beside it.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EACCES, EAGAIN
from pathlib import Path

from capelib.errors import CapeError
from capelib.files import (
    PROVENANCE,
    as_json,
    outputs_of,
    part,
    read_json,
    require_real_folder,
    sha256,
    write_files,
)

NEXT = f".{PROVENANCE}.next"  # of what is being put in place: it counts if that is cut short
HALF = ".run-"  # begins the name of a folder that is not in place yet
TEMPORARY = "capelib-"  # begins the name of a temporary folder
FRESH = 60  # seconds in which a temporary folder may not be locked yet


class InTheWayError(Exception):
    """A file that no run has made has the name of a result."""


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """One `cape reproduce` at a time on a folder; what a killed one left half made is removed.

    Raises
    ------
    CapeError
        Where the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise cannot_write(out, error) from None
    try:
        locked = lock(folder)
        if locked is False:
            what = f"cape: another `cape reproduce` is at work on {out}; waiting for it"
            print(what, file=sys.stderr)
            locked = lock(folder, wait=True)
        if locked:
            for left in out.glob(f"{HALF}*"):
                shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(folder)


def lock(folder: int, wait: bool = False) -> bool | None:
    """Is an open folder ours alone now? None where its disk has no locks.

    The package filelock 4.3 takes another kind of lock where there are none, but only if it is told
    so by ENOSYS; disks on a network answer ENOLCK, and a lock that a kill leaves behind blocks.
    """
    try:
        import fcntl
    except ImportError:  # another system
        return None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return False if error.errno in (EACCES, EAGAIN) else None
    return True


@contextmanager
def temporary(parent: str | None) -> Iterator[Path]:
    """A temporary folder; those that killed processes have left beside it are removed first.

    Parameters
    ----------
    parent
        Where it lies; None for the usual place.
    """
    for left in Path(parent or tempfile.gettempdir()).glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > FRESH:
                _remove_unless_used(left)
    name = tempfile.mkdtemp(prefix=TEMPORARY, dir=parent)
    folder = os.open(name, os.O_RDONLY)
    owner = os.getpid()
    try:
        lock(folder)  # until this process ends, in whatever way
        yield Path(name)
    finally:
        if os.getpid() == owner:  # a process forked from it throws its copy of this away
            shutil.rmtree(name, ignore_errors=True)
        os.close(folder)


def _remove_unless_used(left: Path) -> None:
    """Remove a temporary folder of ours that no process holds."""
    folder = os.open(left, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if os.fstat(folder).st_uid == os.getuid() and lock(folder):
            shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(folder)


def cannot_write(out: Path, error: OSError) -> CapeError:
    """The error for a folder of results that cannot be written."""
    return CapeError(f"cannot write to {out}: {error.strerror}; choose another folder with --out")


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder for what a run writes, removed at the end.

    Raises
    ------
    CapeError
        Where it cannot be made.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=HALF, dir=out))
    except OSError as error:
        raise cannot_write(out, error) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(made: Path, folder: Path, known: Mapping[str, str]) -> list[Path]:
    """Move the files of a succeeded run to their folder; what it no longer makes is removed.

    Parameters
    ----------
    made
        The folder where they lie; it has their provenance.
    folder
        Where they go.
    known
        The checksums of the files that the last run put there, as far as they are known.

    Returns
    -------
    list of Path
        Copies of the files that were edited since a run made them.

    Raises
    ------
    InTheWayError
        Naming the file that no run has made.
    CapeError
        Where the folder cannot be written.
    """
    require_real_folder(folder)
    names = [path.relative_to(made) for path in made.rglob("*") if not path.is_dir()]
    names.sort(key=lambda name: (str(name) == PROVENANCE, name))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = outputs_of(folder) | outputs_of(folder, NEXT)
        for name in names:
            _require_free(folder, name, before)
        edited = [name for name in sorted(before) if _was_edited(name, folder, made, known)]
        kept = [keep_aside(folder / name) for name in edited]
        shutil.copyfile(made / PROVENANCE, folder / NEXT)
        for name in before - set(map(Path.as_posix, names)):
            (folder / name).unlink(missing_ok=True)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).replace(folder / name)
        (folder / NEXT).unlink()
    except OSError as error:
        raise cannot_write(folder, error) from None
    return kept


def _require_free(folder: Path, name: Path, before: set[str]) -> None:
    """Raises InTheWayError where somebody's file or folder has the name of a new result."""
    place = folder / name
    for parent in [place, *place.parents][: len(name.parts)]:
        is_ours = parent == place and name.as_posix() in before and not place.is_dir()
        is_folder = parent != place and parent.is_dir() and not parent.is_symlink()
        if os.path.lexists(parent) and not is_ours and not is_folder:
            raise InTheWayError(f"{parent} was not made by a run: move it, or rename it")


def _was_edited(name: str, folder: Path, made: Path, known: Mapping[str, str]) -> bool:
    """Is a result neither what a run is known to have written, nor what is written now?"""
    stated = [part(read_json(folder / record), "outputs", dict) for record in (PROVENANCE, NEXT)]
    written = [each[name] for each in (known, *stated) if name in each]
    if not written or not (folder / name).is_file():
        return False
    if (made / name).is_file():
        written.append(sha256(made / name))
    return sha256(folder / name) not in written


def keep_aside(file: Path) -> Path:
    """Rename a file, so that another can take its place: `name.kept.svg`.

    Returns
    -------
    Path
        Its new place.
    """
    numbers = ["", *map(str, range(2, 1000))]
    places = (file.with_name(f"{file.stem}.kept{number}{file.suffix}") for number in numbers)
    place = next(place for place in places if not os.path.lexists(place))
    file.rename(place)
    return place


def put_notebook(content: bytes, build: Path, name: str, run: str) -> None:
    """Write an executed notebook; one of that name that was edited since is kept beside it.

    Parameters
    ----------
    content
        Of the notebook.
    build
        The folder for executed notebooks.
    name
        Of the file below it.
    run
        The name of the run, and of its record.
    """
    record, place = build / f"{run}.json", build / name
    before = read_json(record)
    known = part(before, "executed", dict)
    is_of_earlier_version = "made" in before and "executed" not in before
    is_ours = place.is_file() and (sha256(place) == known.get(name) or is_of_earlier_version)
    if os.path.lexists(place) and not is_ours:
        keep_aside(place)
    write_files(place.parent, {place.name: content})
    note(record, executed=known | {name: sha256(place)})


def note(record: Path, **entries: object) -> None:
    """Write entries into the record of a run, a JSON file in `build/`.

    Another file of its name is kept beside it.
    """
    before = read_json(record)
    if os.path.lexists(record) and not before.keys() & {"made", "executed"}:
        keep_aside(record)
        before = {}
    write_files(record.parent, {record.name: as_json(before | entries)})
