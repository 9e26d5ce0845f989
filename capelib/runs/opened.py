"""Which files does a run open besides capelib's own? It is repeated when one of them changes.

Python tells of each file that is opened and of each module that is imported: an audit hook notes
them with their checksums, as they are at that moment. What it cannot see (the network, other
programs, variables of the environment, libraries that open files by themselves) is never called
unchanged.
"""

import hashlib
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterable
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

from capelib.paths import PACKAGE, project_folder

NEVER = "never the same"
# What is outside of all files, or opens files where nobody sees it.
UNSEEN_EVENTS = {
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"),
    *("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname"),
    "sqlite3.connect",
}
UNSEEN_WORDS = re.compile(
    r"environ|getenv|multiprocessing|ProcessPool|joblib|dask|ctypes|mmap|\bexists\(|is_file|is_dir"
    r"|pyarrow|parquet|feather|\borc\b|calamine|hdf|h5py|netCDF|polars|duckdb|sqlalchemy"
    r"|getmtime|\bstat\(|\btoday\(|\bnow\(|time\.time\("
)


def _installed() -> tuple[str, ...]:
    """Folders of Python, its packages, the system and capelib: versions and checksums tell."""
    folders = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), PACKAGE]
    folders += [project_folder("data"), "/usr", "/lib", "/etc", "/proc", "/sys", "/dev"]
    folders += [Path.home() / ".ipython", Path.home() / ".cache", Path.home() / ".config"]
    return tuple(f"{Path(folder).absolute()}{os.sep}" for folder in folders)


def watch() -> Callable[[], dict[str, Any]]:
    """Note from now on what this process opens.

    Returns
    -------
    callable
        Gives the working folder as it is now, and by path the checksum of each file that was read.
    """
    installed, folder = _installed(), str(Path.cwd())
    read: dict[str, str] = {}
    written: set[str] = set()
    noting: list[bool] = []  # reading a file for its checksum opens it too

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in UNSEEN_EVENTS:
            read[event] = NEVER
        elif event not in ("open", "os.listdir", "os.scandir") or noting:
            return
        elif isinstance(path := arguments[0], str | bytes | os.PathLike) or path is None:
            # Python looks for modules by listing folders; what it then opens is noted.
            caller = sys._getframe(1).f_code.co_filename
            if event != "open" and caller.startswith("<frozen importlib"):
                return
            noting.append(True)
            try:
                name = os.path.abspath(os.fsdecode(path or "."))  # noqa: PTH100 (without ..)
                if "__pycache__" in name:  # being written, it ends in .pyc and a number
                    name = source_from_cache(f"{name.partition('.pyc')[0]}.pyc")
                flags = arguments[2] if event == "open" else 0
                if name.startswith(installed) or name in written or name in read:
                    return
                if flags & (os.O_WRONLY | os.O_TRUNC | os.O_EXCL):
                    written.add(name)
                else:
                    read[name] = checksum(name)
            except (OSError, ValueError):
                read[event] = NEVER
            finally:
                noting.clear()

    sys.addaudithook(note)
    return lambda: {"folder": folder, "read": dict(read)}


def checksum(path: str) -> str:
    """The checksum of a file, of the names in a folder, or that there is nothing.

    Python's own `__pycache__` is no name: it appears when a module is first imported.
    """
    try:
        names = sorted(file.name for file in Path(path).iterdir() if file.name != "__pycache__")
        content = "\0".join(names).encode("utf-8", "surrogateescape")
    except NotADirectoryError:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        return "nothing there"
    return hashlib.sha256(content).hexdigest()


def of_run(opened: dict[str, Any], code: Iterable[str], apart: Iterable[Path]) -> dict[str, Any]:
    """What a run opened, as its record keeps it: {} where it is not known.

    Parameters
    ----------
    opened
        What `watch` gave.
    code
        Of the notebook.
    apart
        Files and folders that count in another way, such as the user's table.
    """
    if not opened:
        return {}
    inside = [str(path.resolve()) for path in apart]
    read = {
        name: sha
        for name, sha in opened["read"].items()
        if not any(name == path or name.startswith(path + os.sep) for path in inside)
    }
    modules = [Path(name) for name in read if name.endswith(".py")]
    texts = [*code, *(file.read_text("utf-8", "replace") for file in modules if file.exists())]
    if any(UNSEEN_WORDS.search(text) for text in texts):
        read["what is not noted"] = NEVER
    return {"folder": opened["folder"], "read": read}


def is_still(opened: dict[str, Any]) -> bool:
    """Are all files that a run opened as they were?"""
    read = opened.get("read")
    if opened.get("folder") != str(Path.cwd()) or not isinstance(read, dict):
        return False
    try:
        return all(sha != NEVER and checksum(name) == sha for name, sha in read.items())
    except OSError:
        return False
