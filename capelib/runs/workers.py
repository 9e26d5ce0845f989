"""The worker's half of a run on a cluster: its room of sources and data, and the host that runs notebooks there.

Nothing of this needs capelib on the worker: these functions travel as they stand, and bring the sources with them. The host is one
process a worker, `python -m capelib.runs.workers FD` on the sources that came; one connection a run. The end of its standard input ends
it with all its kernels and removes the room: nothing is left on a machine whose worker was killed.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Files = dict[str, bytes]  # by their path below a folder


def put(folder: Path, files: Files) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def take(folder: Path) -> Files:
    """The files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Room:
    """Sources and data of one client on one worker; its host is started by the first run, and ended when Dask lets go of the room."""

    def __init__(self, files: Files, plain: bool) -> None:
        self._files, self._plain = files, plain
        self._lock = threading.Lock()
        self._host: subprocess.Popen[bytes] | None = None
        self._folder = self._address = ""
        self._closed = False

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self), (self._files, self._plain)  # another worker has a host of its own

    def __del__(self) -> None:
        self.close()

    def connection(self) -> Connection:
        """A connection to the host, for one run. Raises OSError where there is none to be had."""
        with self._lock:
            if not self._closed and (self._host is None or self._host.poll() is not None):
                self._start()
            if self._closed:  # perhaps while the host started
                self.close()
                raise ConnectionAbortedError
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self._address)
            return Connection(connection.detach())

    def _start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)  # of a host that was killed
        self._folder = tempfile.mkdtemp(prefix="cape-")
        put(Path(self._folder), self._files)
        self._address = f"{self._folder}/host"
        paths = os.pathsep.join([self._folder, *filter(None, [os.environ.get("PYTHONPATH")])])
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._address)
            listener.listen(64)
            command = [
                sys.executable,
                "-m",
                "capelib.runs.workers",
                str(listener.fileno()),
                *(["plain"] if self._plain else []),
            ]
            self._host = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
                cwd=self._folder,
                env=os.environ | {"PYTHONPATH": paths, "TMPDIR": self._folder},
                start_new_session=True,
            )

    def close(self) -> None:
        """Ends the host, its kernels and their files."""
        self._closed = True
        if self._host is not None:
            with contextlib.suppress(OSError):
                self._host.stdin.close()
            try:
                self._host.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._host.kill()
                self._host.wait()
            shutil.rmtree(self._folder, ignore_errors=True)


def carry_out(room: Room, own: Files, run: dict[str, Any]) -> dict[str, Any]:
    """One run on this worker: `error` in one line or "", `files` that it made, the `executed` notebook, and the `worker`.

    own: the user's table or folder of tables; run: what the host's `_execute` takes besides.
    """
    from distributed import get_worker

    worker = get_worker().address
    try:
        with room.connection() as connection:
            connection.send(run | {"own": own})
            return connection.recv() | {"worker": worker}
    except (EOFError, OSError) as error:
        why = f": {error}" if str(error) else ""
        return {
            "error": f"the process that runs notebooks on the worker {worker} ended{why}",
            "files": {},
            "executed": {},
            "worker": worker,
        }


def close(key: str, dask_worker: Any) -> None:
    """End what runs in a room on this worker."""
    if key in dask_worker.data:
        dask_worker.data[key].close()


def _serve(listener: socket.socket, plain: bool) -> None:
    from capelib.runs.warm import provisioned

    threading.Thread(target=_end_with_owner, daemon=True).start()
    with provisioned(plain):
        while True:
            connection, _ = listener.accept()
            threading.Thread(
                target=_answer, args=(Connection(connection.detach()),), daemon=True
            ).start()


def _end_with_owner() -> None:
    from capelib.runs.warm import end_all

    sys.stdin.buffer.read()
    end_all()
    shutil.rmtree(Path.cwd(), ignore_errors=True)
    os._exit(0)  # the warm process ends with it


def _answer(connection: Connection) -> None:
    from capelib.errors import CapeError

    with connection, contextlib.suppress(OSError):
        try:
            answer = _execute(**connection.recv())
        except CapeError as error:
            answer = {"error": str(error)}
        except Exception as error:  # whatever it is, it is this run's
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        connection.send({"files": {}, "executed": {}} | answer)


def _execute(
    name: str, notebook: tuple[str, bytes], parameters: dict[str, Any], own: Files, build: str
) -> dict[str, Any]:
    """A run as at home, in a folder of its own. build: the folder for executed notebooks at home, for the message that names it."""
    from capelib.runs.execute import Run, execute

    with tempfile.TemporaryDirectory(prefix="run-") as place:
        folder = Path(place)
        put(folder / "own", own)
        put(folder, dict([notebook]))
        (folder / "made").mkdir()
        if own:
            parameters["dataset"] = str(folder / "own" / next(iter(own)).split("/")[0])
        error = execute(
            Run(folder / notebook[0], parameters, name), folder / "made", folder / "build"
        )
        said = error.replace(str(folder / "build"), build)
        return {
            "error": said,
            "files": {} if error else take(folder / "made"),
            "executed": take(folder / "build"),
        }


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        _serve(listening, plain="plain" in sys.argv[2:])
