"""Processes in which cells are run: forked by Python's own fork server, one process a run.

The server has imported what notebooks import (`capelib.runs.preload`), so that a run starts at
once. Its own memory is never written by a run: nothing of a run reaches the next.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from multiprocessing import connection, forkserver, util
from pathlib import Path
from types import ModuleType
from typing import Any

from capelib.errors import CapeError
from capelib.runs.folders import temporary

LONGEST_FOLDER = 56  # bytes of its path, to which those of a socket come: it may have 107
MATPLOTLIB = "module://matplotlib_inline.backend_inline"

_lock = threading.Lock()
_running: "weakref.WeakSet[Any]" = weakref.WeakSet()


class Died(Exception):
    """The process in which cells are run has ended."""


def available() -> bool:
    """Can processes be forked here that run cells?"""
    return sys.platform == "linux"


def socket_folder() -> str | None:
    """In which folder can sockets lie? None for the usual one for temporary files.

    Batch systems have longer folders for a job than the path of a socket may be.
    """
    usual = os.fsencode(tempfile.gettempdir())
    return "/tmp" if len(usual) > LONGEST_FOLDER and Path("/tmp").is_dir() else None


def warm_up() -> None:
    """Start the fork server where there is none: it imports while this process does other work.

    Raises
    ------
    OSError
        Where it cannot be started.
    """
    with _lock, _as_the_server_needs():
        multiprocessing.set_forkserver_preload(["capelib.runs.preload"])
        forkserver.ensure_running()


@contextlib.contextmanager
def _as_the_server_needs() -> Iterator[None]:
    """The conditions in which the server and its processes are started.

    A fork would import again what this process was started with: its main module is set aside.
    """
    main, usual = sys.modules["__main__"], tempfile.tempdir
    given = {"PYTHONSAFEPATH": "1", "MPLBACKEND": os.environ.get("MPLBACKEND") or MATPLOTLIB}
    before = {name: os.environ.get(name) for name in given}
    sys.modules["__main__"] = ModuleType("__main__")
    os.environ.update(given)
    tempfile.tempdir = _folder()
    try:
        util.get_temp_dir()  # where the server's socket lies
        yield
    finally:
        sys.modules["__main__"], tempfile.tempdir = main, usual
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@cache
def _folder() -> str:
    """The folder for the server's socket, until this process ends."""
    folder = contextlib.ExitStack()
    path = folder.enter_context(temporary(socket_folder()))
    util.Finalize(None, folder.close, exitpriority=-101)  # after the server's own folder in it
    return str(path)


class Kernel:
    """Which process runs the cells of one notebook, or calls one function?

    Parameters
    ----------
    become
        What the process does, with its end of the pipe, the environment and the working folder.
    *more
        Further arguments of it.

    Raises
    ------
    OSError
        Where none can be started.
    """

    def __init__(self, become: Callable[..., None] | None = None, *more: Any) -> None:
        warm_up()
        context = multiprocessing.get_context("forkserver")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, dict(os.environ), str(Path.cwd()), *more)
        # As a daemon it ends with this process, whatever happens.
        target = become or _become_kernel
        self._process = context.Process(target=target, args=arguments, daemon=True)
        try:
            with _lock, _as_the_server_needs():
                self._process.start()
        except EOFError:
            raise ConnectionError("the process that forks runs has ended") from None
        finally:
            theirs.close()
        _running.add(self)

    def send(self, request: Any) -> None:
        """Ask the process for something.

        Raises
        ------
        Died
        """
        try:
            self._pipe.send(request)
        except OSError:
            raise Died from None

    def receive(self, timeout: float | None = None) -> Any:
        """Wait for what it answers; None where nothing came in `timeout` seconds.

        Raises
        ------
        Died
        """
        ready = connection.wait([self._pipe, self._process.sentinel], timeout)
        if not ready:
            return None
        try:
            # Children of a notebook may hold the pipe open when its process has died.
            if self._pipe in ready or self._pipe.poll():
                return self._pipe.recv()
        except (EOFError, OSError):
            pass
        raise Died

    def kill(self) -> None:
        """End it at once, with the processes that it has started."""
        pid = self._process.pid
        if pid and self._process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # it had no group of its own yet

    def close(self) -> None:
        """End it, and wait until it has."""
        self.kill()
        self._pipe.close()
        self._process.join()


def track(kernel: Any) -> None:
    """Let `end_all` end a kernel too that has a method `kill`."""
    _running.add(kernel)


def end_all() -> None:
    """End every process for cells that this process has started."""
    for kernel in list(_running):
        with contextlib.suppress(OSError):
            kernel.kill()


def call_apart(function: Callable[..., None], *arguments: Any) -> None:
    """Call a function in a process of its own, which has the libraries of the runs already.

    Parameters
    ----------
    function, arguments
        They can be pickled.

    Raises
    ------
    CapeError
        What went wrong there, in one line.
    """
    process = Kernel(_call, function, arguments)
    try:
        error = process.receive()
    except Died:
        error = "its process has ended"
    finally:
        process.close()
    if error:
        raise CapeError(error)


def _call(
    pipe: Any,
    environment: dict[str, str],
    folder: str,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
) -> None:
    """What the process of `call_apart` does; Ctrl-C is for the process that waits for it."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(environment)
    os.chdir(folder)
    error = ""
    try:
        function(*arguments)
    except Exception as trouble:  # whatever it is, it is what this function was called for
        error = f"{type(trouble).__name__}: {trouble}".splitlines()[0]
    pipe.send(error)


def _become_kernel(*arguments: Any) -> None:
    """What the forked process does; its module is imported there only."""
    from capelib.runs import cells

    cells.serve(*arguments)
