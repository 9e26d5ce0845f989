"""One run: a notebook with the values of its parameters, executed by papermill."""

import errno
import json
import logging
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capelib.errors import CapeError
from capelib.runs.folders import put_notebook, temporary
from capelib.vocabulary.codebook import PUBLIC_RECORD

LONGEST = 200  # letters of a message
NO_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR)


@dataclass(frozen=True)
class Run:
    """A notebook with the values of all its parameters.

    Attributes
    ----------
    notebook : Path
    parameters : dict
        By name.
    name : str
        Of its folder: the notebook's name and what differs from the defaults.
    """

    notebook: Path
    parameters: dict[str, Any]
    name: str


class _Plugin:
    """`capelib.runs.engine.Engine`, imported when it is used: it imports papermill itself."""

    def __getattr__(self, name: str) -> Any:
        from capelib.runs import engine

        return getattr(engine.Engine, name)


ENGINE = _Plugin()  # papermill's plug-in `cape`


def execute(
    run: Run,
    staging: Path,
    build: Path,
    opened: dict[str, Any] | None = None,
    plain: bool = False,
    final: Mapping[str, str] | None = None,
) -> str:
    """Run one notebook with papermill: did it succeed?

    Parameters
    ----------
    run
        The notebook and its parameters.
    staging
        An empty folder for what the notebook writes.
    build
        The folder for the executed notebook; one that failed goes to `failed/` below it.
    opened
        Filled with what the cells have opened, where that can be seen: see `capelib.runs.opened`.
    plain
        Start a kernel, in place of forking a process.
    final
        The paths that shall stand in the executed notebook, by those that it was run with, so that
        it can be run again as it is. Otherwise `staging` becomes the run's folder beside it.

    Returns
    -------
    str
        What went wrong, in one line; "" where nothing did.

    Raises
    ------
    CapeError
        Where a folder cannot be written.
    """
    with grammars_left_out():
        import papermill
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError

        from capelib.runs import engine
        from capelib.runs.kernels import socket_folder

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # we report a failure ourselves, once
    staging = staging.resolve()
    final = final or {str(staging): str(staging.parent / run.name)}
    try:
        build.mkdir(parents=True, exist_ok=True)
        with temporary(socket_folder()) as folder:
            executed = folder / f"{run.name}.ipynb"
            try:
                papermill.execute_notebook(
                    run.notebook,
                    executed,
                    _parameters(run, staging),
                    engine.NAME,
                    kernel_name="python3",
                    language="python",
                    progress_bar=False,
                    log_output=False,
                    request_save_on_cell_execute=False,
                    plain=plain,
                    opened=opened,
                    **_kernel(str(folder)),
                )
                _keep(executed, build, executed.name, run, final)
            except PapermillExecutionError as error:
                _keep(executed, build, f"failed/{executed.name}", run, final)
                failed = build / "failed" / executed.name
                lines = [line for line in (error.evalue or "").splitlines() if line.strip()]
                message = _shown(lines[0] if lines else _last_stderr(error, executed), run)
                message = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
                return f"In [{error.exec_count}]: {error.ename}: {message} (see {failed})"
            except DeadKernelError as error:
                return str(error)
    except OSError as error:
        if error.errno not in NO_PLACE:
            raise
        raise CapeError(f"cannot write to {error.filename or build}: {error.strerror}") from None
    return ""


def _last_stderr(error: Any, executed: Path) -> str:
    """What a cell wrote last that failed without an error, as an unknown magic does."""
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    outputs = [
        output
        for cell in cells
        if cell.get("execution_count") == error.exec_count
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    ]
    lines = "".join(outputs[-1]["text"]).strip().splitlines() if outputs else []
    return lines[-1] if lines else ""


@contextmanager
def grammars_left_out() -> Iterator[None]:
    """Imports without rfc3987_syntax, by which jsonschema could check addresses if it is there.

    It builds 38 grammars when it is imported: 2.4 of papermill's 3.3 seconds of processor time
    (measured; 0.9 are left). Nothing here checks addresses by a schema.
    """
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # pyright: ignore[reportArgumentType]  # as Python says "not there"
    try:
        yield
    finally:
        sys.modules.pop(name, None)


def _parameters(run: Run, staging: Path) -> dict[str, Any]:
    """The parameters as the notebook gets them, with whole paths: it is run in another folder."""
    parameters = dict(run.parameters)
    if "out" in parameters:
        parameters["out"] = str(staging)
    source = parameters.get("dataset", PUBLIC_RECORD)
    if source != PUBLIC_RECORD:
        parameters["dataset"] = str(Path(source).expanduser().resolve())
    return parameters


def _kernel(folder: str) -> dict[str, Any]:
    """How a plain kernel is started and ended."""
    from traitlets.config import Config

    manager: dict[str, Any] = {}
    if hasattr(socket, "AF_UNIX"):
        # Over TCP each kernel would warn, and anyone on the machine could listen.
        manager = {"transport": "ipc", "ip": f"{folder}/k"}
    return {
        "shutdown_kernel": "immediate",
        # Otherwise every kernel waits for one database of what was typed.
        "extra_arguments": ["--HistoryManager.enabled=False"],
        "config": Config({"KernelManager": manager}),
    }


def _keep(executed: Path, build: Path, name: str, run: Run, final: Mapping[str, str]) -> None:
    """Put an executed notebook in its place, with the final paths in it.

    The path of a table is written there as it may be shown.
    """
    content = executed.read_bytes()
    for before, after in {str(executed): str((build / name).resolve()), **final}.items():
        for written in (_in_metadata, _in_cell):
            content = content.replace(written(before), written(after))
    source = run.parameters.get("dataset", PUBLIC_RECORD)
    if source != PUBLIC_RECORD:
        from capelib.check.files import masking

        masked = masking(source)
        paths = [Path(source).expanduser().resolve(), *map(Path, final.values())]
        for part in dict.fromkeys(part for path in paths for part in path.parts[1:]):
            shown = masked(part)
            if shown != part:
                for written in (_in_metadata, _in_cell):
                    content = content.replace(written(part), written(shown))
    put_notebook(content, build, name, run.name)


def _shown(message: str, run: Run) -> str:
    """A message of a notebook, without words of the names that its table holds."""
    source = run.parameters.get("dataset", PUBLIC_RECORD)
    if source == PUBLIC_RECORD:
        return message
    from capelib.check.files import masking

    return masking(source)(message)


def _in_metadata(text: str) -> bytes:
    """A part of a path as it stands in the metadata of a notebook, which is JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()


def _in_cell(text: str) -> bytes:
    """A part of a path as papermill writes it in a cell of a notebook: in a string of Python."""
    return _in_metadata(text.encode("unicode_escape").decode().replace('"', '\\"'))
