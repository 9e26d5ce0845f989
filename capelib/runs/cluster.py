"""Runs on many machines: `cape reproduce --cluster ADDRESS` sends each run to a worker of an existing Dask scheduler.

A run's notebook and the user's tables go out with it, the sources and data of capelib once for all runs; its files come back. So the
workers need the packages of requirements.lock and nothing else: no shared disk, and no capelib of their own that could be another one.
Where a worker is lost, Dask gives its runs to others; a run that has cost several workers fails.
"""

import contextlib
import logging
import socket
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from capelib.errors import CapeError
from capelib.files import write_files
from capelib.paths import PACKAGE, room
from capelib.runs import workers
from capelib.runs.provenance import PACKAGES
from capelib.vocabulary.codebook import PUBLIC_RECORD

if TYPE_CHECKING:
    from distributed import Client, Future

    from capelib.runs.execute import Run

CONNECT = 10  # seconds for the scheduler to answer
PATIENCE = 60  # seconds without any worker
LOOK = 2  # seconds between two looks at the workers


@contextlib.contextmanager
def connected(address: str, plain: bool = False) -> Iterator["Cluster"]:
    """A Dask cluster to run notebooks on; within it, its workers hold what the runs need.

    address: of the scheduler, such as "tcp://10.0.0.1:8786". plain: kernels that are started each by itself.
    Raises CapeError where Dask is not installed, no scheduler answers, it has no worker, or a worker has other packages than we.
    """
    try:
        import dask.config
        from distributed import Client
    except ImportError:
        raise CapeError("--cluster needs Dask: pip install 'capelib[cluster]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what fails is said once, by us
    with dask.config.set(
        {"distributed.admin.large-graph-warning-threshold": "1 TB"}
    ):  # tables of users are sent once
        try:
            _knock(address)
            with warnings.catch_warnings(
                action="ignore"
            ):  # of other versions, which we look at ourselves
                client = Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError):
            raise CapeError(
                f"no Dask scheduler answers at {address!r}: give what `dask scheduler` shows, like tcp://10.0.0.1:8786"
            ) from None
        with client:
            cluster = Cluster(client, address, plain)
            try:
                yield cluster
            finally:
                cluster.end()


def _knock(address: str) -> None:
    """Does a scheduler listen there? Dask itself waits for ever for one who says nothing. Raises OSError or ValueError."""
    place = urlsplit(address)
    if place.scheme not in ("tcp", "tls") or not place.hostname or not place.port:
        raise ValueError(address)
    with socket.create_connection((place.hostname, place.port), timeout=CONNECT) as door:
        if place.scheme == "tcp" and not door.recv(1):  # a scheduler speaks first
            raise ConnectionError(address)


class Cluster:
    """The workers of a scheduler, as places to execute runs."""

    def __init__(self, client: "Client", address: str, plain: bool) -> None:
        self._client, self._address = client, address
        self._lock = threading.Lock()
        self._looked = self._met = 0.0  # when we last looked for workers, and when we last saw one
        self._known: set[str] = set()  # the workers that have our versions
        self._holders: set[str] = set()  # those that have been given the room
        self._tables: dict[str, Future] = {}
        self._running: set[Future] = set()
        self._ended = False
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
            self._check()  # before anything of ours goes there
            self._room = self._send(workers.Room, _sources(), plain)
            self._room.exception(timeout=PATIENCE)  # waits for it
        except TimeoutError:
            raise CapeError(
                f"the scheduler at {address} has no worker: start some with `dask worker {address}`"
            ) from None
        self._look()

    @property
    def threads(self) -> int:
        """How many runs the workers take at once, as of now."""
        return sum(self._client.nthreads().values())

    def execute(self, run: "Run", staging: Path, build: Path) -> str:
        """Execute a run on a worker, as `runner.execute` does here. Returns what went wrong in one line, or nothing.

        Raises CapeError where no run can go on: no scheduler, no worker, or a worker with other packages.
        """
        from distributed.scheduler import KilledWorker

        notebook = (run.notebook.name, run.notebook.read_bytes())
        sent = {
            "name": run.name,
            "notebook": notebook,
            "parameters": dict(run.parameters),
            "build": str(build),
        }
        try:
            answer = self._wait(
                self._send(workers.carry_out, self._room, self._tables_of(run), sent)
            )
        except KilledWorker as error:
            lost = f"{error.allowed_failures + 1} workers were lost while they ran it, the last at {error.last_worker.address}"
            return f"{lost}: does it need more memory than they have?"
        except (CancelledError, OSError):
            if self._ended:
                return "stopped"
            raise CapeError(
                f"the scheduler at {self._address} is gone; what was finished is in place"
            ) from None
        except CapeError:
            raise
        except Exception as error:  # of Dask's own
            return f"no worker could run it: {type(error).__name__}: {error}".splitlines()[0]
        workers.put(staging, answer["files"])
        for name, content in answer["executed"].items():
            write_files((build / name).parent, {Path(name).name: content})
        return answer["error"]

    def end(self) -> None:
        """End what still runs out there."""
        with self._lock:
            if self._ended:
                return
            self._ended, running = True, list(self._running)
        if self._client.status == "running":
            with contextlib.suppress(
                Exception
            ):  # a worker that cannot be reached has nothing of ours to end
                self._client.cancel(running, force=True)
                self._client.run(_ByValue(workers.close), self._room.key)

    def _send(self, function: Callable[..., Any], *arguments: Any) -> "Future":
        return self._client.submit(
            _ByValue(function), *arguments, key=f"{function.__name__}-{uuid.uuid4()}"
        )

    def _tables_of(self, run: "Run") -> "Future":
        """The user's tables that a run is about; sent once for all runs."""
        source = run.parameters.get("dataset", PUBLIC_RECORD)
        with self._lock:
            if source not in self._tables:
                self._tables[source] = self._send(
                    dict,
                    {} if source == PUBLIC_RECORD else _tables(Path(source).expanduser().resolve()),
                )
            return self._tables[source]

    def _wait(self, future: "Future") -> dict[str, Any]:
        with self._lock:
            if self._ended:
                raise CancelledError
            self._running.add(future)
        try:
            while True:
                try:
                    answer = future.result(timeout=LOOK)
                except TimeoutError:
                    self._look()
                    continue
                if answer["worker"] not in self._known:  # it came a moment ago
                    self._check()
                return answer
        finally:
            with self._lock:
                self._running.discard(future)

    def _look(self) -> None:
        """Who is there? New workers get the room."""
        with self._lock:
            if time.monotonic() < self._looked + LOOK:
                return
            self._looked = time.monotonic()
        there = set(self._client.nthreads())
        if there:
            self._met = time.monotonic()
            if there - self._known:
                self._check()
            if (
                there - self._holders and self._room.done()
            ):  # Dask prefers workers that have what a run needs
                self._client.replicate([self._room])
                self._holders = there
        elif time.monotonic() > self._met + PATIENCE:
            raise CapeError(f"no worker is left at {self._address}; what was finished is in place")

    def _check(self) -> None:
        """Have the workers our versions? Raises CapeError where the provenance of a run would not tell the truth."""
        found: dict[str, Any] = self._client.get_versions(packages=list(PACKAGES))["workers"]  # pyright: ignore[reportIndexIssue]
        for worker, about in found.items():
            theirs = about["packages"] | {
                "python": ".".join(about["packages"]["python"].split(".")[:2])
            }
            different = [
                f"{name} {theirs[name] or 'missing'} (here {own})"
                for name, own in _versions().items()
                if theirs[name] != own
            ]
            if different:
                remedy = f"install requirements.lock there, with Python {_versions()['python']}"
                raise CapeError(
                    f"the worker {worker} has {', '.join(different)}: its figures could be others than ours; {remedy}"
                )
        self._known |= set(found)


class _ByValue:
    """A function that reaches a worker as it stands here: what is installed there may be another one, or none."""

    def __init__(self, function: Callable[..., Any]) -> None:
        import cloudpickle

        cloudpickle.register_pickle_by_value(workers)
        self._function = cloudpickle.dumps(function)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bytes]]:
        import cloudpickle

        return cloudpickle.loads, (self._function,)

    def __call__(self) -> None:
        """Dask takes nothing that cannot be called; it is called on the worker, where it is the function again."""


def _sources() -> workers.Files:
    """Sources and data of this capelib as they lie in a wheel, and the entry points by which Jupyter finds its warm kernels."""
    installed = metadata.distribution("capelib")
    about = {
        name: (installed.read_text(name) or "").encode()
        for name in ("METADATA", "entry_points.txt")
    }
    return {
        **{
            f"capelib/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
            for path in sorted(PACKAGE.rglob("*.py"))
        },
        **{f"capelib/data/{name}": content for name, content in workers.take(room("data")).items()},
        **{
            f"capelib-{installed.version}.dist-info/{name}": content
            for name, content in about.items()
        },
    }


def _tables(source: Path) -> workers.Files:
    """A user's table, or the tables of a folder, below the name that figures and provenance show."""
    files = (
        [source]
        if source.is_file()
        else [*sorted(source.rglob("*.csv")), *source.glob("SYNTHETIC")]
    )
    return {file.relative_to(source.parent).as_posix(): file.read_bytes() for file in files}


def _versions() -> dict[str, str]:
    """Of what figures depend on, and of what the two halves talk by."""
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}"} | {
        name: metadata.version(name) for name in (*PACKAGES, "distributed")
    }
