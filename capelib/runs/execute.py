"""One run: a notebook with the values of its parameters, executed by papermill."""

import logging
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capelib.errors import CapeError
from capelib.files import write_files


@dataclass(frozen=True)
class Run:
    """A notebook with the values of all its parameters."""

    notebook: Path
    parameters: dict[str, Any]
    name: str


def execute(run: Run, staging: Path, build: Path) -> str:
    """Run one notebook with papermill. Returns what went wrong in one line, or nothing."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    from capelib.runs import engine

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what fails is said once, by us
    parameters = dict(run.parameters) | (
        {"out": str(staging.resolve())} if "out" in run.parameters else {}
    )
    if parameters.get("dataset", "public-record") != "public-record":
        parameters["dataset"] = str(Path(parameters["dataset"]).expanduser().resolve())
    try:
        build.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="cape-") as folder:
            executed = Path(folder) / f"{run.name}.ipynb"
            ways: dict[str, Any] = {
                "shutdown_kernel": "immediate",
                "request_save_on_cell_execute": False,
                "language": "python",
            }
            ways["extra_arguments"] = [
                "--HistoryManager.enabled=False"
            ]  # else every kernel waits for one database of what was typed
            manager: dict[str, Any] = {"client_factory": f"{engine.__name__}.Client"}
            if hasattr(
                socket, "AF_UNIX"
            ):  # over TCP each kernel would warn, and anyone on the machine could listen
                manager |= {"transport": "ipc", "ip": f"{folder}/k"}
            ways["config"] = Config({"KernelManager": manager})
            try:
                papermill.execute_notebook(
                    run.notebook,
                    executed,
                    parameters,
                    engine.NAME,
                    kernel_name="python3",
                    progress_bar=False,
                    log_output=False,
                    **ways,
                )
                _keep(executed, build / executed.name)
            except PapermillExecutionError as error:
                failed = build / "failed" / executed.name
                _keep(executed, failed)
                said = next(
                    (line for line in (error.evalue or "").splitlines() if line.strip()), ""
                )
                return f"In [{error.exec_count}]: {error.ename}: {said} (see {failed})"
            except DeadKernelError as error:
                return str(error)
    except OSError as error:
        raise CapeError(f"cannot write to {error.filename or build}: {error.strerror}") from None
    return ""


def _keep(made: Path, place: Path) -> None:
    """Put an executed notebook in its place, whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    write_files(place.parent, {place.name: made.read_bytes()})
