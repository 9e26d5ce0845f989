"""Runs on many machines: `cape reproduce --cluster ADDRESS` sends each run to a Dask worker.

A run's notebook and the user's tables go out with it, the sources and data of capelib once for all
runs; its files come back. So the workers need the packages of requirements.lock and nothing else:
no shared disk, and no capelib of their own that could be another one. Where a worker is lost, Dask
gives its runs to others; a run that has cost several workers fails.
"""

import asyncio
import contextlib
import logging
import socket
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from capelib.errors import CapeError
from capelib.paths import PACKAGE, project_folder
from capelib.runs import workers
from capelib.runs.folders import put_notebook
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
    """Connect to a Dask cluster to run notebooks on; within it, its workers hold what runs need.

    Parameters
    ----------
    address
        Of the scheduler, such as "tcp://10.0.0.1:8786".
    plain
        Start a kernel for each run, in place of forking a process.

    Yields
    ------
    Cluster

    Raises
    ------
    CapeError
        Where Dask is not installed, no scheduler answers, it has no worker, or a worker has other
        packages than we.
    """
    try:
        import dask.config
        from distributed import Client
    except ImportError:
        raise CapeError("--cluster needs Dask: pip install 'capelib[cluster]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # we report a failure ourselves
    # Tables of users may be large; they are sent once.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        try:
            _require_scheduler(address)
            # Dask warns of other versions; `_check_versions` looks at them.
            with warnings.catch_warnings(action="ignore"):
                client = Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError):
            raise CapeError(
                f"no Dask scheduler answers at {address!r}: "
                "give what `dask scheduler` shows, like tcp://10.0.0.1:8786"
            ) from None
        with client:
            cluster = Cluster(client, address, plain)
            try:
                yield cluster
            finally:
                cluster.end()


def _require_scheduler(address: str) -> None:
    """Raises OSError or ValueError where no scheduler listens: Dask itself would wait for ever."""
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
        raise ValueError(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=CONNECT) as connection:
        # A scheduler sends first.
        if parts.scheme == "tcp" and not connection.recv(1):
            raise ConnectionError(address)


class Cluster:
    """Which workers can execute runs? Those of one scheduler; made by `connected`.

    Attributes
    ----------
    threads : int
        How many runs they take at once.
    """

    def __init__(self, client: "Client", address: str, plain: bool) -> None:
        self._client = client
        self._address = address
        self._name = f"capelib-{uuid.uuid4()}"  # of our plug-ins
        self._lock = threading.Lock()
        self._looked = 0.0  # when we last looked for workers
        self._seen = 0.0  # when there was last one
        self._known: set[str] = set()  # the workers that have our versions
        self._sent: dict[str, Future] = {}
        self._running: set[Future] = set()
        self._ended = False
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
            self._check_versions()  # before anything of ours goes to them
            self._install(plain)
        except TimeoutError:
            raise CapeError(
                f"the scheduler at {address} has no worker: start some with `dask worker {address}`"
            ) from None
        self._look()

    @property
    def threads(self) -> int:
        """How many runs do the workers take at once, as of now?"""
        return sum(self._client.nthreads().values())

    def execute(
        self, run: "Run", staging: Path, build: Path, _opened: dict[str, Any] | None = None
    ) -> str:
        """Execute a run on a worker: did it succeed? As `capelib.runs.execute.execute` does here.

        What the run opened there is not known here.

        Returns
        -------
        str
            What went wrong, in one line; "" where nothing did.

        Raises
        ------
        CapeError
            Where no run can go on: no scheduler, no worker, or a worker with other packages.
        """
        from distributed.scheduler import KilledWorker

        parameters, tables = dict(run.parameters), dict
        if parameters.get("dataset", PUBLIC_RECORD) != PUBLIC_RECORD:
            table = Path(parameters["dataset"]).expanduser().resolve()
            parameters["dataset"], tables = str(table), partial(_tables, table)
        sent = {
            "name": run.name,
            "parameters": parameters,
            "out": str(staging.resolve().parent / run.name),
            "build": str(build.resolve()),
            "source": str(run.notebook.resolve()),
        }
        try:
            notebook = self._once(sent["source"], lambda: _tables(run.notebook))
            own = self._once(parameters.get("dataset", PUBLIC_RECORD), tables)
            answer = self._wait(self._send(workers.carry_out, self._name, notebook, own, sent))
        except KilledWorker as error:
            return (
                f"{error.allowed_failures + 1} workers were lost while they ran it, "
                f"the last at {error.last_worker.address}: "
                "does it need more memory than they have?"
            )
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
            if name.endswith(".ipynb"):
                put_notebook(content, build, name, run.name)
        return answer["error"]

    def end(self) -> None:
        """End what still runs on the workers."""
        with self._lock:
            if self._ended:
                return
            self._ended, running = True, list(self._running)
        if self._client.status == "running":
            # A worker that cannot be reached has nothing of ours to end.
            with contextlib.suppress(Exception):
                self._client.cancel(running, force=True)
                self._client.unregister_worker_plugin(self._name)

    def _install(self, plain: bool) -> None:
        """Give the workers, also those that come later, our sources and what makes runs of them."""
        import cloudpickle

        cloudpickle.register_pickle_by_value(workers)
        parts = workers.plugins(self._name, self._client.id, _sources(), plain)
        for plugin in reversed(parts):  # first the one that takes the other away
            self._client.register_plugin(plugin, self._name)

    def _send(self, function: Callable[..., Any], *arguments: Any) -> "Future":
        key = f"{function.__name__}-{uuid.uuid4()}"
        return self._client.submit(_ByValue(function), *arguments, key=key)

    def _once(self, source: str, read: Callable[[], workers.Files]) -> "Future":
        """The files of a source, sent once: the scheduler keeps what comes with each run."""
        with self._lock:
            if source not in self._sent:
                self._sent[source] = self._send(dict, read())
            return self._sent[source]

    def _wait(self, future: "Future") -> dict[str, Any]:
        """What a worker answers; meanwhile we look for new workers and lost ones."""
        with self._lock:
            if self._ended:
                raise CancelledError
            self._running.add(future)
        try:
            # Not `result(timeout)`: when it gives up, what Dask fetches with it is lost too.
            fetched = asyncio.run_coroutine_threadsafe(
                self._client.gather(future, asynchronous=True), self._client.loop.asyncio_loop
            )
            while not wait([fetched], timeout=LOOK).done:
                self._look()
            answer = fetched.result()
            if answer["worker"] not in self._known:  # it came a moment ago
                self._check_versions()
            return answer
        finally:
            with self._lock:
                self._running.discard(future)

    def _look(self) -> None:
        """Check workers that have joined."""
        with self._lock:
            if time.monotonic() < self._looked + LOOK:
                return
            self._looked = time.monotonic()
        present = set(self._client.nthreads())
        if present:
            self._seen = time.monotonic()
            if present - self._known:
                self._check_versions()
        elif time.monotonic() > self._seen + PATIENCE:
            raise CapeError(f"no worker is left at {self._address}; what was finished is in place")

    def _check_versions(self) -> None:
        """Raises CapeError where a worker has other versions: provenance would not be true."""
        ours = _versions()
        installed: dict[str, Any] = self._client.get_versions(packages=list(PACKAGES))["workers"]  # pyright: ignore[reportIndexIssue]
        for worker, about in installed.items():
            theirs = dict(about["packages"])
            theirs["python"] = ".".join(theirs["python"].split(".")[:2])
            different = [
                f"{name} {theirs[name] or 'missing'} (here {version})"
                for name, version in ours.items()
                if theirs[name] != version
            ]
            if different:
                raise CapeError(
                    f"the worker {worker} has {', '.join(different)}: "
                    "its figures could be others than ours; "
                    f"install requirements.lock there, with Python {ours['python']}"
                )
        self._known |= set(installed)


class _ByValue:
    """A function that reaches a worker as it stands here: another one may be installed there."""

    def __init__(self, function: Callable[..., Any]) -> None:
        import cloudpickle

        cloudpickle.register_pickle_by_value(workers)
        self._function = cloudpickle.dumps(function)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bytes]]:
        import cloudpickle

        return cloudpickle.loads, (self._function,)

    def __call__(self) -> None:
        """Dask takes only what can be called; on the worker it is the function again."""


def _sources() -> workers.Files:
    """Sources and data of this capelib as they lie in a wheel."""
    installed = metadata.distribution("capelib")
    files: workers.Files = {}
    # A worker makes runs: it needs the templates of figures, not those of the site.
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.glob("figures/templates/*")]):
        files[f"capelib/{path.relative_to(PACKAGE).as_posix()}"] = path.read_bytes()
    for name, content in workers.take(project_folder("data")).items():
        files[f"capelib/data/{name}"] = content
    text = installed.read_text("METADATA") or ""
    files[f"capelib-{installed.version}.dist-info/METADATA"] = text.encode()
    return files


def _tables(source: Path) -> workers.Files:
    """A user's notebook, table, or the tables of a folder, below the name that figures show."""
    files = [source]
    if not source.is_file():
        files = [*sorted(source.rglob("*.csv")), *source.glob("SYNTHETIC")]
    return {file.relative_to(source.parent).as_posix(): file.read_bytes() for file in files}


def _versions() -> dict[str, str]:
    """Of what figures depend on, and of what both sides communicate by."""
    versions = {name: metadata.version(name) for name in (*PACKAGES, "distributed")}
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}"} | versions
