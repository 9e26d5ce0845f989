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


def require_free(run: Run, folder: Path, build: Path) -> None:
    """Raises CapeError for a folder that is a link, or holds what another file gave.

    And for a notebook that lies where the executed one goes.
    """
    require_real_folder(folder)
    if run.notebook.resolve() in {
        (build / place / f"{run.name}.ipynb").resolve() for place in ("", "failed")
    }:
        raise CapeError(f"{run.notebook} would be written over: choose another folder with --build")
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
    loaded = [each["data"] for each in read_provenance(staging).get("figures", {}).values()]
    answer = read_json(staging / ANSWER)
    edition = run.parameters.get("edition", "")
    named = {edition, answer.get("edition", ""), *(data["edition"] for data in loaded)}
    with one_table:
        if source == PUBLIC_RECORD:  # a notebook may set two editions side by side
            infos = [load(edition=each).info for each in named]
        else:
            infos = [examine(source).info]
    known = {info.sha256 for info in infos}
    line = answer.get("data", "")
    is_other_answer = any(
        line.startswith(f"{info.label}: {info.name}") for info in infos
    ) and not any(sha[:12] in line for sha in known)
    names = {info.name for info in infos}
    if is_other_answer or any(
        data["sha256"] not in known for data in loaded if data["name"] in names
    ):
        return f"the table that it loaded {changed}"
    return ""
