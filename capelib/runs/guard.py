"""Does a run harm what is a user's own, and does it rest on what it says that it rests on?"""

import threading
from pathlib import Path
from typing import Any

from capelib.errors import CapeError
from capelib.files import (
    ANSWER,
    SOURCE,
    mark_of,
    read_json,
    read_provenance,
    require_real_folder,
    source_mark,
)
from capelib.paths import project_folder
from capelib.runs import provenance
from capelib.runs.execute import Run
from capelib.vocabulary.codebook import PUBLIC_RECORD

one_table = threading.Lock()  # runs that end together would each read the same table


def sources_of(run: Run) -> list[str | Path]:
    """What of a run is the user's own? The table, and the notebook where it is not ours."""
    sources: list[str | Path] = []
    if run.parameters.get("dataset", PUBLIC_RECORD) != PUBLIC_RECORD:
        sources.append(run.parameters["dataset"])
    if run.notebook.resolve().parent != project_folder("notebooks").resolve():
        sources.append(run.notebook)
    return sources


def require_free(run: Run, folder: Path) -> None:
    """Raises CapeError for a folder that is a link, or holds what another file gave."""
    require_real_folder(folder)
    mark = mark_of(folder / SOURCE)
    if mark and mark != source_mark(folder, *sources_of(run)):
        raise CapeError(
            f"{folder} holds the results of another file of this name: "
            "choose another folder with --out, or rename the file"
        )


def changed_meanwhile(run: Run, inputs: dict[str, Any], staging: Path) -> str:
    """Why may results rest on other files than those that were expected? Empty if they do not.

    A table may be saved while kernels start, and again later as it was at first: what the run
    loaded is compared too, not only the files before and after it.
    """
    from capelib.check.files import examine
    from capelib.loading import load

    changed = "changed while it ran: nothing was kept, run it again"
    if not provenance.is_as_expected(run.notebook, run.parameters, inputs):
        return f"the table, the data or the code {changed}"
    source = run.parameters.get("dataset", PUBLIC_RECORD)
    with one_table:
        info = (load() if source == PUBLIC_RECORD else examine(source)).info
    figures = read_provenance(staging).get("figures", {}).values()
    loaded = [about["data"] for about in figures if about["data"]["name"] == info.name]
    line = read_json(staging / ANSWER).get("data", "")
    is_other_answer = line.startswith(f"{info.label}: {info.name}") and info.sha256[:12] not in line
    if is_other_answer or any(data["sha256"] != info.sha256 for data in loaded):
        return f"the table that it loaded {changed}"
    return ""
