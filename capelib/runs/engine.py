"""papermill's plug-in `cape`: the cells of a notebook run in a process forked for it.

`papermill --engine cape NOTEBOOK OUT` uses it anywhere. A notebook whose cells need a real kernel,
or of which that is not sure, gets one: of another language, with widgets, or with settings that
count only before a library is imported.
"""

import contextlib
import json
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger as papermill_log

from capelib.runs import kernels

NAME = "cape"
NEEDS_A_KERNEL = re.compile(
    r"widgets|\bcomms?\b|tqdm|\.kernel\b|ipykernel|jupyter_client|connect_info|_NUM_THREADS"
    r"|THREADING_LAYER|^\s*%gui|matplotlib +(?!inline)|debugpy|set_trace|breakpoint\(",
    re.MULTILINE,
)


class Manager(AsyncKernelManager):
    """Jupyter's manager of a kernel; `kernels.end_all` can end it."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        kernels.track(self)

    def kill(self) -> None:
        """End the kernel at once."""
        started = getattr(self.provisioner, "process", None)
        if started is not None:
            started.kill()


class Client(PapermillNotebookClient):
    """papermill's client, of a forked process in place of a kernel."""

    async def _async_poll_kernel_alive(self) -> None:
        """A process that dies is noticed where its answer is waited for."""

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index) -> None:
        timeout = self._get_timeout(cell)
        end = time.monotonic() + timeout if timeout else None
        while True:
            message = self.kernel.receive(end and max(0, end - time.monotonic()))
            if message is None:
                await self._async_handle_timeout(timeout, cell)
                return
            kind, content, buffers = _unpacked(message)
            if kind == "execute_reply":
                self.reply = {"content": content}
                return
            message = {
                "header": {"msg_type": kind},
                "msg_type": kind,
                "parent_header": {"msg_id": parent_msg_id},
                "content": content,
                "buffers": buffers,
            }
            self.process_message(message, cell, cell_index)

    async def _async_poll_for_reply(self, _id, _cell, _timeout, task_poll_output_msg, _alive):
        await task_poll_output_msg
        return self.reply

    def execute(self, **_: Any):
        """Run all cells."""
        self.reset_execution_trackers()
        self.kc = SimpleNamespace(
            execute=lambda source, store_history, **_: self.kernel.send((source, store_history))
        )
        try:
            self.papermill_execute_cells()
            self.nb.metadata["language_info"] = IPythonKernel.language_info
            self.kernel.send((None, False))
            while (message := self.kernel.receive())[0] != "opened":
                pass  # a thread of the notebook goes on writing
            self.opened = _unpacked(message)[1]
        finally:
            self.kernel.close()
        return self.nb


class Engine(NBClientEngine):
    """Run a notebook as papermill does, in a forked process where that gives the same."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man, kernel_name, plain=False, log_output=False, opened=None, **how
    ):
        """Run a notebook.

        Parameters
        ----------
        nb_man
            papermill's manager of the notebook.
        kernel_name
            Of the kernel.
        plain
            Start a kernel, in place of forking a process.
        opened
            Filled with what a forked process has opened: see `capelib.runs.opened`.
        log_output
            As for papermill's own engine.
        **how
            What papermill's own engine takes besides.

        Raises
        ------
        nbclient.exceptions.DeadKernelError
            Where the process or the kernel dies, naming its last cell.
        """
        try:
            plain = plain or bool(how.get("interrupt_on_timeout"))
            if not plain and _can_be_forked(nb_man.nb, kernel_name):
                with contextlib.suppress(OSError):  # none can be forked now
                    how["kernel"] = kernels.Kernel()
            if "kernel" in how:
                return cls._run_forked(nb_man, log_output, opened, **how)
            return super().execute_managed_notebook(
                nb_man, kernel_name, log_output, kernel_manager_class=Manager, **how
            )
        except (RuntimeError, kernels.Died) as error:
            if isinstance(error, kernels.Died) or "kernel died" in str(error).lower():
                raise DeadKernelError(f"the kernel died{_where(nb_man.nb)}") from None
            raise

    @staticmethod
    def _run_forked(nb_man, log_output, opened, kernel, stdout_file=None, stderr_file=None, **how):
        client = Client(
            nb_man,
            timeout=how.get("execution_timeout") or how.get("timeout"),
            record_timing=False,
            log=papermill_log,
            log_output=log_output,
            stdout_file=stdout_file,
            stderr_file=stderr_file,
        )
        client.kernel = kernel
        nb = client.execute()
        if opened is not None:
            opened.update(client.opened)
        return nb


def _unpacked(message: tuple[str, bytes, list[bytes]]) -> tuple[str, Any, list[bytes]]:
    """A message as Jupyter would have read it from a socket."""
    kind, content, buffers = message
    return kind, json.loads(content.decode("utf-8", "replace")), buffers


def _can_be_forked(nb: Any, kernel_name: str) -> bool:
    """Is it a notebook of this Python, with nothing in it that needs a kernel?"""
    try:
        kernel = KernelSpecManager().get_kernel_spec(kernel_name)
    except NoSuchKernel:
        return False  # papermill's own engine says so
    python = Path(kernel.argv[0]).parent  # not resolved: many environments have one Python
    is_this = python in (Path(), Path(sys.executable).parent)
    if not is_this or "ipykernel_launcher" not in kernel.argv or kernel.env:
        return False
    code = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")
    return kernels.available() and not NEEDS_A_KERNEL.search(code)


def _where(nb: Any) -> str:
    """In which cell a kernel died: the last one that had begun."""
    begun = [
        cell
        for cell in nb.cells
        if cell.cell_type == "code" and cell.metadata.papermill.get("start_time")
    ]
    if not begun:
        return " before its first cell"
    first_line = begun[-1].source.strip().partition("\n")[0]
    return f" in its code cell {len(begun)}: {first_line}"


papermill_engines.register(NAME, Engine)
