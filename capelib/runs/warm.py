"""Warm kernels: a kernel provisioner (Jupyter's own plug-in point) whose kernels are forked from a process that has imported everything.

Registered as `cape-warm`. Any papermill uses it with `JUPYTER_DEFAULT_PROVISIONER_NAME=cape-warm`; kernels of other languages or other
Pythons, and systems on which a fork is not safe (macOS) or not to be had (Windows), start as they always do.
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


def available() -> bool:
    """Can kernels be forked here?"""
    return sys.platform == "linux"


class WarmKernel:
    """A forked kernel, as the provisioner asks of a process: pid, poll, wait, send_signal, kill, terminate."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection, self.pid = connection, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit code."""
        code = self._read(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0)
        return code

    def _read(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            line = self._connection.recv(4096)
            self.returncode = (
                json.loads(line)["exit"] if line else -signal.SIGKILL
            )  # the warm process died, and its kernels with it
            self._connection.close()
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Sends a signal to the kernel; nothing where it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)


class WarmProcess:
    """The process that kernels are forked from; started at the first kernel, ended with its owner."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        listener = socket.socket(socket.AF_UNIX)
        self._folder = Path(
            tempfile.mkdtemp(prefix="cape-")
        )  # for its owner only; an abstract address would be open to everybody
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
        """Can kernels be had from it, by this process?"""
        return self.owner == os.getpid() and self._process.poll() is None

    def kernel(self, argv: list[str], env: dict[str, str], cwd: str) -> WarmKernel:
        """A new kernel. Raises OSError where the warm process cannot give one."""
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
        """Ends it and its kernels."""
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
_kernels: weakref.WeakSet[Any] = (
    weakref.WeakSet()
)  # every kernel that this process has started and still knows


@contextlib.contextmanager
def provisioned(plain: bool = False) -> Iterator[None]:
    """Within it, kernels of this process come from `WarmProvisioner`; plain: each started by itself, in place of forked."""
    global _plain
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name, _plain
    factory.default_provisioner_name, _plain = NAME, plain
    try:
        yield
    finally:
        factory.default_provisioner_name, _plain = before


def end_all() -> None:
    """Ends every kernel that this process has started."""
    for kernel in list(_kernels):
        with contextlib.suppress(OSError):
            kernel.kill()


def warm_process() -> WarmProcess:
    """The warm process of this process, started when there is none."""
    global _warm
    with _lock:
        if _warm is None or not _warm.alive():
            _warm = WarmProcess()
        return _warm


class WarmProvisioner(LocalProvisioner):
    """Starts kernels of this Python by forking the warm process, all others as Jupyter does."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Encrypts what goes over TCP, where nothing else was asked for."""
        if self.parent is not None and self.parent.transport == "tcp":
            kwargs.setdefault("transport_encryption", "auto")
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Forks a kernel; where that cannot be done, starts it as a process of its own."""
        argv = _arguments(cmd)
        if available() and not _plain and argv is not None:
            with contextlib.suppress(OSError):
                env, cwd = (
                    dict(kwargs.get("env") or os.environ),
                    str(kwargs.get("cwd") or Path.cwd()),
                )
                self.process = warm_process().kernel(argv, env, cwd)
                self.pid = self.pgid = self.process.pid
                self.cwd = cwd
                _kernels.add(self.process)
                return self.connection_info
        info = await super().launch_kernel(cmd, **kwargs)
        _kernels.add(self.process)
        return info

    async def wait(self) -> int | None:
        """Waits for its end; Jupyter's own looks only ten times a second."""
        if isinstance(self.process, WarmKernel):
            while self.process.poll() is None:
                await asyncio.sleep(0.002)
        return await super().wait()


def _arguments(cmd: list[str]) -> list[str] | None:
    """What a command says to ipykernel, where it starts one of this very Python: `python -m ipykernel_launcher -f FILE`."""
    if (
        len(cmd) > 2
        and "ipykernel_launcher" in cmd[:4]
        and Path(cmd[0]).resolve() == Path(sys.executable).resolve()
    ):
        return cmd[cmd.index("ipykernel_launcher") + 1 :]
    return None
