"""Papermill's engine that names the cell in which a kernel died: papermill's own plug-in point, so that nothing of it is changed."""

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
            begun = [cell for cell in nb_man.nb.cells if cell.cell_type == "code" and cell.metadata.papermill.get("start_time")]
            first = next(iter(begun[-1].source.strip().splitlines()), "") if begun else ""
            where = f" in its code cell {len(begun)}: {first}" if begun else " before its first cell"
            raise DeadKernelError(f"the kernel died{where}") from None


papermill_engines.register(NAME, Engine)
