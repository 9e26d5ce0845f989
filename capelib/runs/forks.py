"""The warm process: it has imported what notebooks import, and forks a kernel for each request.

Started by capelib.runs.warm as `python -m capelib.runs.forks FD`, where FD is a listening Unix
socket. Each kernel has one connection: a JSON line in (argv, env, cwd), a JSON line out when the
kernel runs (pid), and one when it has ended (exit). A connection that is closed by the other side
ends its kernel; the end of standard input ends all of them and the warm process: nothing is left
when its owner dies.
"""

import atexit
import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
from importlib import import_module

PRELOADED = (
    "numpy",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "statsmodels.api",
    "statsmodels.stats.proportion",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "seaborn",
    "pandas.io.formats.csvs",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.magics",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "psutil",
    "sqlite3",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
)


def preload() -> None:
    """Import what notebooks import, and read the tables that never change during a run."""
    for name in PRELOADED:
        import_module(name)
    import PIL.Image

    import capelib
    from capelib.findings.bibliography import publications, reference
    from capelib.reference import regimes

    for name in capelib.__all__:
        getattr(capelib, name)
    PIL.Image.preinit()  # else done again in each kernel, with its first picture
    capelib.load()
    capelib.findings.relations()
    for key in publications():
        reference(key)  # LaTeX is slow to read
    regimes.by_year()
    gc.collect()
    gc.freeze()  # never collected: a kernel shares it instead of copying it


def serve(listener: socket.socket) -> None:
    """Fork a kernel for each connection, until standard input ends."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    kernels: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as waiting:
        for source in (listener.fileno(), wake_read, sys.stdin.fileno()):
            waiting.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fd == sys.stdin.fileno():  # the owner is gone
                    _end(kernels)
                    return
                if key.fd == wake_read:
                    os.read(wake_read, 4096)
                    _reap(kernels, waiting)
                elif key.fd == listener.fileno():
                    connection, _ = listener.accept()
                    others = [other.fileno() for other in kernels.values()]
                    others += [listener.fileno(), wake_read, wake_write]
                    pid = _start(connection, others)
                    if pid:
                        kernels[pid] = connection
                        waiting.register(connection, selectors.EVENT_READ, pid)
                elif key.data in kernels:  # only its end can be read here: the other side closed it
                    waiting.unregister(key.fileobj)
                    _end({key.data: kernels.pop(key.data)})


def _start(connection: socket.socket, others: list[int]) -> int:
    """Fork one kernel; returns its process id, or 0. The child does not return."""
    with connection.makefile("r", encoding="utf-8") as lines:
        line = lines.readline()
    if not line:
        connection.close()
        return 0
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for descriptor in (*others, connection.fileno()):
                os.close(descriptor)
            code = _become_kernel(**json.loads(line))
        finally:
            os._exit(code)
    connection.sendall(json.dumps({"pid": pid}).encode() + b"\n")
    return pid


def _become_kernel(argv: list[str], env: dict[str, str], cwd: str) -> int:
    """Run ipykernel in the conditions that a kernel started by itself would have."""
    import random

    import matplotlib as mpl
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 (for the life of the process)
    os.dup2(sys.stdin.fileno(), 0)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    random.seed()
    np.random.seed()  # noqa: NPY002 (the old global generator, which notebooks may use)
    app = IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(argv)
    # matplotlib reads it when it is imported, and that was before.
    mpl.rcParams["backend"] = os.environ["MPLBACKEND"]
    import_module("matplotlib.pyplot").install_repl_displayhook()
    try:
        app.start()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _reap(kernels: dict[int, socket.socket], waiting: selectors.BaseSelector) -> None:
    """Report how each kernel ended that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        connection = kernels.pop(pid, None)
        if connection is not None:
            waiting.unregister(connection)
            with contextlib.suppress(OSError), connection:
                code = os.waitstatus_to_exitcode(status)
                connection.sendall(json.dumps({"exit": code}).encode() + b"\n")


def _end(kernels: dict[int, socket.socket]) -> None:
    """End kernels and whatever they started (each leads a group of its own)."""
    for pid, connection in kernels.items():
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(pid, signal.SIGKILL)
        connection.close()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        preload()
        serve(listening)
