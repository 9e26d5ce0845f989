"""Warm kernels: forked from a process that has already imported what notebooks import.

A kernel provisioner (Jupyter's own plug-in point), registered as `cape-warm`. Any papermill uses it
with `JUPYTER_DEFAULT_PROVISIONER_NAME=cape-warm`. Kernels of other languages or other Pythons, and
systems on which a fork is not safe (macOS) or does not exist (Windows), start as they always do.
"""

import asyncio
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

NAME = "cape-warm"
LONGEST_FOLDER = 80  # bytes of its path, to which those of a socket come


def available() -> bool:
    """Can kernels be forked on this system?"""
    return sys.platform == "linux"


def socket_folder() -> str | None:
    """In which folder can sockets lie? None for the usual one for temporary files.

    The path of a socket may have 107 bytes, and batch systems have longer folders for a job.
    """
    usual = os.fsencode(tempfile.gettempdir())
    return "/tmp" if len(usual) > LONGEST_FOLDER and Path("/tmp").is_dir() else None


class WarmKernel:
    """What is a forked kernel to the provisioner? A process, with what it asks of one.

    Attributes
    ----------
    pid : int
    returncode : int or None
        None while it runs.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection = connection
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """What is the exit code? None while it runs."""
        return self._exit_code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code.

        Raises
        ------
        subprocess.TimeoutExpired
            Where it still runs after `timeout` seconds.
        """
        code = self._exit_code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0)
        return code

    def _exit_code(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            line = self._connection.recv(4096)
            # Without a line the warm process died, and its kernels with it.
            self.returncode = json.loads(line)["exit"] if line else -signal.SIGKILL
            self._connection.close()
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel; nothing where it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class WarmProcess:
    """Which process are kernels forked from? Started at the first one, ended with its owner.

    Attributes
    ----------
    owner : int
        The process that started it.
    address : str
        Of its Unix socket.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()
        listener = socket.socket(socket.AF_UNIX)
        # A folder is open to its owner only, an abstract address would be to everybody.
        self._folder = Path(tempfile.mkdtemp(prefix="cape-", dir=socket_folder()))
        self.address = str(self._folder / "forks")
        listener.bind(self.address)
        listener.listen(64)
        environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
        command = [
            sys.executable,
            "-P",
            "-Xfrozen_modules=off",
            "-m",
            "capelib.runs.forks",
            str(listener.fileno()),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env=environment,
            start_new_session=True,
        )
        listener.close()
        atexit.register(self.close)

    def alive(self) -> bool:
        """Can this process get kernels from it?"""
        return self.owner == os.getpid() and self._process.poll() is None

    def kernel(self, argv: list[str], env: dict[str, str], cwd: str) -> WarmKernel:
        """Fork a new kernel.

        Parameters
        ----------
        argv
            What ipykernel gets.
        env
            The environment variables of the kernel.
        cwd
            Its working folder.

        Raises
        ------
        OSError
            Where the warm process cannot give one.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address)
        connection.sendall(json.dumps({"argv": argv, "env": env, "cwd": cwd}).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            part = connection.recv(4096)
            if not part:
                raise ConnectionError("the warm process ended before it gave a kernel")
            line += part
        return WarmKernel(connection, json.loads(line)["pid"])

    def close(self) -> None:
        """End it and its kernels."""
        if self.owner == os.getpid():
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
            with contextlib.suppress(OSError):
                Path(self.address).unlink()
                self._folder.rmdir()


_lock = threading.Lock()
_warm: WarmProcess | None = None
_plain = False
# Every kernel that this process has started and that is still in use.
_kernels: weakref.WeakSet[Any] = weakref.WeakSet()


@contextlib.contextmanager
def provisioned(plain: bool = False) -> Iterator[None]:
    """Let kernels of this process come from `WarmProvisioner`, within it.

    Parameters
    ----------
    plain
        Start each by itself, in place of forking it.
    """
    global _plain
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name, _plain
    factory.default_provisioner_name, _plain = NAME, plain
    try:
        yield
    finally:
        factory.default_provisioner_name, _plain = before


def end_all() -> None:
    """End every kernel that this process has started."""
    for kernel in list(_kernels):
        with contextlib.suppress(OSError):
            kernel.kill()


def warm_process() -> WarmProcess:
    """Which is the warm process of this process? One is started where there is none."""
    global _warm
    with _lock:
        if _warm is None or not _warm.alive():
            _warm = WarmProcess()
        return _warm


class WarmProvisioner(LocalProvisioner):
    """Start kernels of this Python by forking the warm process, all others as Jupyter does."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Encrypt what goes over TCP, where nothing else was asked for."""
        if self.parent is not None and self.parent.transport == "tcp":
            kwargs.setdefault("transport_encryption", "auto")
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; where that cannot be done, start it as a process of its own."""
        argv = _arguments(cmd)
        if available() and not _plain and argv is not None:
            with contextlib.suppress(OSError):
                env = dict(kwargs.get("env") or os.environ)
                cwd = str(kwargs.get("cwd") or Path.cwd())
                self.process = warm_process().kernel(argv, env, cwd)
                self.pid = self.pgid = self.process.pid
                self.cwd = cwd
                _kernels.add(self.process)
                return self.connection_info
        info = await super().launch_kernel(cmd, **kwargs)
        _kernels.add(self.process)
        return info

    async def wait(self) -> int | None:
        """Wait for its end; Jupyter's own looks only ten times a second."""
        if isinstance(self.process, WarmKernel):
            while self.process.poll() is None:
                await asyncio.sleep(0.002)
        return await super().wait()


def _arguments(cmd: list[str]) -> list[str] | None:
    """What a command gives to ipykernel: `-f FILE` of `python -m ipykernel_launcher -f FILE`.

    None where it starts something else, or another Python.
    """
    if len(cmd) < 3 or "ipykernel_launcher" not in cmd[:4]:
        return None
    if Path(cmd[0]).resolve() != Path(sys.executable).resolve():
        return None
    return cmd[cmd.index("ipykernel_launcher") + 1 :]
