"""How papermill runs a notebook here, by its own plug-in points.

A kernel that dies is reported with its cell, and a kernel is used as soon as it is ready.
"""

import time
from queue import Empty

from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines

NAME = "cape"


class Engine(NBClientEngine):
    """Run a notebook as papermill does; where the kernel dies, report in which cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        """Run a notebook as papermill does.

        Raises
        ------
        nbclient.exceptions.DeadKernelError
            Where the kernel dies, naming its last cell.
        """
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)
        except DeadKernelError:
            begun = [
                cell
                for cell in nb_man.nb.cells
                if cell.cell_type == "code" and cell.metadata.papermill.get("start_time")
            ]
            where = " before its first cell"
            if begun:
                first_line = begun[-1].source.strip().partition("\n")[0]
                where = f" in its code cell {len(begun)}: {first_line}"
            raise DeadKernelError(f"the kernel died{where}") from None


class Client(AsyncKernelClient):
    """A kernel's client that knows when the kernel is ready.

    Jupyter's own waits until no message has come for 0.2 seconds.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has answered and has published that it is idle.

        Then no output will be missed.

        Raises
        ------
        nbclient.exceptions.DeadKernelError
            Where it dies first, or does not answer in `timeout` seconds.
        """
        end = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            asked = self.kernel_info()
            try:
                await self.get_shell_msg(timeout=1)
                while True:  # until it is idle again: the channel for outputs is open
                    message = await self.get_iopub_msg(timeout=0.02)
                    is_answer = message["parent_header"].get("msg_id") == asked
                    if is_answer and message["content"].get("execution_state") == "idle":
                        return
            except Empty:  # the kernel was not ready: ask again
                if not await self.is_alive():
                    raise DeadKernelError("the kernel died before its first answer") from None
        raise DeadKernelError(f"the kernel did not answer in {timeout} seconds")


papermill_engines.register(NAME, Engine)
