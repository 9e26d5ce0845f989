"""Cells run in this very process, as a fresh kernel runs them: ipykernel without its sockets.

The kernel, its shell, its magics and its words are ipykernel's. Only the way of messages is ours:
a pipe to the process that has forked this one.
"""

import asyncio
import io
import multiprocessing
import os
import random
import select
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from multiprocessing import process
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipykernel
from ipykernel.displayhook import ZMQDisplayHook
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session

from capelib.runs import opened

# The fork server imports this: so a fresh kernel finds modules, besides its own folder.
FRESH_PATH = list(sys.path)
MAIN_PROCESS = multiprocessing.current_process()
sys.modules["debugpy"] = None  # pyright: ignore[reportArgumentType]  # nobody could debug: not there
import_module("ipykernel.debugger")
del sys.modules["debugpy"]


class Outbox(Session):
    """Sends what a kernel publishes through the pipe; nothing of a notebook's own children."""

    def __init__(self, pipe: Connection, **traits: Any) -> None:
        super().__init__(**traits)
        self._pipe, self._alone, self._owner = pipe, threading.Lock(), os.getpid()

    def send(self, _stream, msg_or_type, content=None, parent=None, **how):
        """As `Session.send`, to nowhere else."""
        message = msg_or_type
        if not isinstance(message, dict):
            message = self.msg(msg_or_type, content=content, parent=parent)
        self.put(message["msg_type"], message["content"], how.get("buffers"))
        return message

    def put(self, kind: str, content: Any, buffers: Any = None) -> None:
        """Send one message."""
        if os.getpid() == self._owner:
            with self._alone:
                self._pipe.send((kind, self.pack(content), [bytes(part) for part in buffers or []]))


class Stream(io.TextIOBase):
    """Standard output or error of the cells, with what C code and other programs write to it."""

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, name: str, descriptor: int, outbox: Outbox) -> None:
        self.name, self._outbox, self._owner = name, outbox, os.getpid()
        self._parts: list[str] = []
        self._alone = threading.RLock()
        self._original = os.dup(descriptor)
        self._descriptor = descriptor
        self._source, target = os.pipe()
        os.set_blocking(self._source, False)
        os.dup2(target, descriptor)
        os.close(target)
        threading.Thread(target=self._watch, daemon=True).start()

    def fileno(self) -> int:
        """As in a kernel: where its process wrote at first."""
        return self._original

    def writable(self) -> bool:
        """It is for writing only."""
        return True

    def write(self, text: str) -> int:
        """Keep text until it is sent, after what other programs have written before."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._owner:
            os.write(self._descriptor, text.encode("utf-8", "replace"))
        else:
            with self._alone:
                self._drain()
                self._parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Send what has been written."""
        if os.getpid() != self._owner:
            return
        with self._alone:
            self._drain()
            text, self._parts = "".join(self._parts), []
            if text:
                self._outbox.put("stream", {"name": self.name, "text": text})

    def _drain(self) -> None:
        data = b""
        while True:
            try:
                part = os.read(self._source, 1 << 16)
            except BlockingIOError:
                break
            if not part:  # the notebook has closed it
                break
            data += part
        if data:
            self._parts.append(data.decode("utf-8", "replace"))

    def _watch(self) -> None:
        """A pipe holds little: it is emptied while other programs write."""
        waiting = select.poll()
        waiting.register(self._source, select.POLLIN)
        while waiting.poll()[0][1] & select.POLLIN:
            with self._alone:
                self._drain()


class Kernel(IPythonKernel):
    """ipykernel's, without the thread that reads its sockets."""

    shell_channel_thread = SimpleNamespace(parent_thread=None)


class App(IPKernelApp):
    """ipykernel's application, with the user's own configuration and without sockets."""

    kernel_class = Kernel

    def _nothing(self, *_: Any) -> None:
        pass

    init_connection_file = init_poller = init_sockets = init_heartbeat = _nothing
    write_connection_file = log_connection_info = init_signal = _nothing

    def init_io(self) -> None:
        """Let cells write into the outbox."""
        for name, descriptor in (("stdout", 1), ("stderr", 2)):
            setattr(sys, name, Stream(name, descriptor, self.session))
        self.displayhook = sys.displayhook = ZMQDisplayHook(self.session, None)
        self.patch_io()

    def init_kernel(self) -> None:
        """Make the kernel and its shell."""
        self.kernel = kernel = Kernel.instance(
            parent=self,
            session=self.session,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.displayhook.get_execution_count = lambda: kernel.execution_count


def serve(pipe: Connection, environment: dict[str, str], folder: str) -> None:
    """Run the cells that come through a pipe, until it is closed.

    Parameters
    ----------
    pipe
        Brings (source, store_history); takes messages as a kernel publishes them, and each cell's
        reply. Without a source it takes what the cells have opened.
    environment
        The environment variables.
    folder
        The working folder.
    """
    os.setsid()
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    _as_fresh(environment, folder)
    app = App.instance()
    app.session = Outbox(pipe, parent=app)
    app.initialize(["--HistoryManager.enabled=False"])
    _plot_as_fresh()
    asyncio.run(_run(app.kernel, pipe, app.session, opened.watch()))


def _end_with(pipe: Connection) -> None:
    """When the other side is gone, end this process with all that it has started."""
    waiting = select.poll()
    waiting.register(pipe.fileno(), 0)  # only its end
    waiting.poll()
    os.killpg(0, signal.SIGKILL)


def _as_fresh(environment: dict[str, str], folder: str) -> None:
    """What a new Python process has, and a forked one has not."""
    import numpy as np

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # but while a cell runs
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    installed = [n for n, path in enumerate(FRESH_PATH) if path.endswith("-packages")]
    sys.path[:] = FRESH_PATH
    sys.path.insert(installed[0] if installed else 0, "")  # as IPython does
    launcher = Path(ipykernel.__file__).parent.with_name("ipykernel_launcher.py")
    sys.argv[:] = [str(launcher), "-f", "kernel.json"]
    random.seed()
    np.random.seed()  # noqa: NPY002 (the old global generator, which notebooks may use)
    process._current_process, process._parent_process = MAIN_PROCESS, None
    MAIN_PROCESS.name = "MainProcess"
    MAIN_PROCESS._config.pop("daemon", None)  # it may start processes
    multiprocessing.set_start_method(None, force=True)


def _plot_as_fresh() -> None:
    """Pyplot asks for its backend, and for a shell, when it is imported: that was before."""
    import matplotlib as mpl

    mpl.rcParams["backend"] = os.environ["MPLBACKEND"]
    import_module("matplotlib.pyplot").install_repl_displayhook()


async def _run(
    kernel: Kernel, pipe: Connection, outbox: Outbox, opened_so_far: Callable[[], dict[str, Any]]
) -> None:
    """Run each cell within a running loop, so that tasks of one cell go on in the next."""
    arrived = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), arrived.set)
    while True:
        await arrived.wait()
        arrived.clear()
        source, store_history = pipe.recv()
        if source is None:
            outbox.put("opened", opened_so_far())
            continue
        kernel.set_parent([], outbox.msg("execute_request", {"code": source}))
        outbox.put("execute_input", {"execution_count": kernel.execution_count})
        signal.signal(signal.SIGINT, signal.default_int_handler)
        reply = await kernel.do_execute(source, False, store_history)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        outbox.put("execute_reply", reply)
