"""How papermill runs a notebook here, by its own plug-in points: a dead kernel's cell is named, and a kernel is used once it is ready."""

import time
from queue import Empty

from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines

NAME = "cape"


class Engine(NBClientEngine):
    """Runs a notebook as papermill does; where the kernel dies, says in which cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        """As papermill's, but a kernel that dies is told with its last cell."""
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)
        except DeadKernelError:
            begun = [
                cell
                for cell in nb_man.nb.cells
                if cell.cell_type == "code" and cell.metadata.papermill.get("start_time")
            ]
            first = next(iter(begun[-1].source.strip().splitlines()), "") if begun else ""
            where = (
                f" in its code cell {len(begun)}: {first}" if begun else " before its first cell"
            )
            raise DeadKernelError(f"the kernel died{where}") from None


class Client(AsyncKernelClient):
    """A kernel's client that knows when the kernel is ready: Jupyter's own waits until nothing has been said for 0.2 seconds."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Returns when the kernel has answered a question and has said so to everybody: then no output will be missed.

        Raises RuntimeError where it dies first, or does not answer in `timeout` seconds.
        """
        end = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < end:
            asked = self.kernel_info()
            try:
                await self.get_shell_msg(timeout=1)
                while True:  # until it is idle again: the channel for outputs is open
                    said = await self.get_iopub_msg(timeout=0.02)
                    about = (
                        said["parent_header"].get("msg_id"),
                        said["content"].get("execution_state"),
                    )
                    if about == (asked, "idle"):
                        return
            except Empty:  # it was not there yet: ask again
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info") from None
        raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")


papermill_engines.register(NAME, Engine)
