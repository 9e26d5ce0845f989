"""What the site is made of: the finished runs of an edition, the ledger and its verdicts."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from capelib.errors import CapeError
from capelib.files import ANSWER, cells, read_json, read_provenance
from capelib.findings.ledger import Published, ledger
from capelib.findings.relations import Relation, relations
from capelib.findings.verdicts import Verdict
from capelib.runs import provenance, runner
from capelib.runs.execute import Run
from capelib.runs.parameters import declared, in_words
from capelib.vocabulary import editions

LEDGER_NOTEBOOK = "12_published_findings"
_LISTED = 4  # runs that an error names


@dataclass(frozen=True)
class FinishedRun:
    """A run with what it left behind.

    Attributes
    ----------
    run : Run
    folder : Path
        Its figures, their data, `answer.json` and `provenance.json`.
    executed : Path
        The executed notebook.
    """

    run: Run
    folder: Path
    executed: Path

    @property
    def name(self) -> str:
        """The name of the run, such as `03_tajik_targeting--origin=UZB`."""
        return self.run.name

    @property
    def notebook(self) -> str:
        """The name of its notebook, such as `03_tajik_targeting`."""
        return self.run.notebook.stem

    @property
    def anchor(self) -> str:
        """Its anchor on pages that show several runs; what holds a `=` there is a filter."""
        return self.name.replace("=", "-")

    @cached_property
    def answer(self) -> dict[str, Any]:
        """What answer.json says."""
        return read_json(self.folder / ANSWER)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What provenance.json says."""
        return read_provenance(self.folder)

    @cached_property
    def figures(self) -> dict[str, str]:
        """The titles of its figures, by name."""
        return {name: entry["title"] for name, entry in self.provenance["figures"].items()}

    @cached_property
    def heading(self) -> str:
        """The number and question of its notebook."""
        for cell in cells(self.run.notebook):
            if cell["cell_type"] == "markdown":
                return "".join(cell["source"]).splitlines()[0].lstrip("# ")
        return self.notebook

    @cached_property
    def differs(self) -> str:
        """What differs from the notebook's defaults, in words; "" where nothing does."""
        return in_words(self.parameters, [name for name in self.changed if name != "edition"])

    @cached_property
    def changed(self) -> dict[str, str]:
        """The parameters that differ from the notebook's defaults, as the command takes them."""
        known = declared(self.run.notebook)
        return {
            name: ",".join(map(str, value)) if isinstance(value, list) else str(value)
            for name, value in self.parameters.items()
            if value != known[name].default
        }

    @cached_property
    def comments(self) -> dict[str, str]:
        """What each parameter is, in the notebook's words."""
        known = declared(self.run.notebook)
        return {name: parameter.comment for name, parameter in known.items()}

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters, without the folder for figures."""
        return {name: value for name, value in self.run.parameters.items() if name != "out"}


@dataclass(frozen=True)
class Collection:
    """Everything that pages are made from.

    Attributes
    ----------
    edition : str
        Of the public record.
    runs : tuple of FinishedRun
        In the order of the notebooks; the first of each notebook has its defaults.
    figures : Path
        The folder of the runs' folders.
    """

    edition: str
    runs: tuple[FinishedRun, ...]
    figures: Path

    @cached_property
    def by_notebook(self) -> dict[str, list[FinishedRun]]:
        """The runs of each notebook, that with its defaults first."""
        groups: dict[str, list[FinishedRun]] = {}
        for run in self.runs:
            groups.setdefault(run.notebook, []).append(run)
        return {
            name: sorted(runs, key=lambda run: bool(run.differs)) for name, runs in groups.items()
        }

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The verdict on every published number and reading, as notebook 12 gave them."""
        for run in self.runs:
            if run.notebook == LEDGER_NOTEBOOK:
                return [Verdict(**row) for row in run.answer["verdicts"]]
        return []

    @cached_property
    def published(self) -> dict[str, Published]:
        """The ledger, by finding."""
        return ledger()

    @cached_property
    def relations(self) -> list[Relation]:
        """All relations between published numbers."""
        return relations()

    @property
    def is_current(self) -> bool:
        """Is it the current edition?"""
        return self.edition == editions.current()


def collect(edition: str, figures: Path, build: Path, names: tuple[str, ...] = ()) -> Collection:
    """Which finished runs is the site made of?

    Nothing is executed. A run must have been made with the data and the notebook as they are now:
    otherwise a row that was withdrawn since would still stand on a page.

    Parameters
    ----------
    edition
        Of the public record. Of the current one the site shows the runs of `runs.toml`, of an
        earlier one each notebook with its defaults.
    figures, build
        The folders of `cape reproduce`.
    names
        Notebooks; all where none is named.

    Raises
    ------
    CapeError
        Runs are missing or rest on other data or code cells: the first few by name, and the
        command that makes them.
    """
    current = edition == editions.current()
    runs = runner.plan(list(names), {} if current else {"edition": edition})
    finished = [FinishedRun(run, figures / run.name, build / f"{run.name}.ipynb") for run in runs]
    wrong = {each.name: reason for each in finished if (reason := _fault(each))}
    if wrong:
        option = "" if current else f" -p edition={edition} --out {figures}"
        listed = "; ".join(f"{name} ({why})" for name, why in list(wrong.items())[:_LISTED])
        more = f" and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
        numbers = " ".join(sorted({name[:2] for name in wrong}))
        raise CapeError(
            f"{len(wrong)} of {len(runs)} runs cannot be shown: {listed}{more}. "
            f"Make them with: cape reproduce {numbers}{option}"
        )
    return Collection(edition, tuple(finished), figures)


def _fault(each: FinishedRun) -> str:
    """Why a run cannot be shown; "" where it can."""
    if not each.executed.exists() or not each.provenance:
        return "not made yet"
    if each.provenance.get("parameters") != each.parameters:
        return "made with other parameters"
    if code_of(each.executed) != code_of(each.run.notebook):
        return "the notebook has changed since"
    facts = provenance.facts(each.run.notebook, each.run.parameters)
    if facts["tables_sha256"] != each.provenance.get("tables_sha256"):
        return "the data has changed since"
    names = set(each.provenance.get("outputs", {}))
    sums = {name: sha for name, sha in provenance.checksums(each.folder).items() if name in names}
    if sums != each.provenance["outputs"]:
        return "its figures are not those that it wrote"
    if not _holds_answer(each):
        return "the executed notebook and answer.json differ"
    return ""


def code_of(notebook: Path) -> list[str]:
    """The code cells of a notebook, without the parameters that papermill put in."""
    return [
        "".join(cell["source"]).strip()
        for cell in cells(notebook)
        if cell["cell_type"] == "code" and not is_injected(cell)
    ]


def is_injected(cell: dict[str, Any]) -> bool:
    """Did papermill put this cell in? It names folders of the machine."""
    return "injected-parameters" in cell["metadata"].get("tags", [])


def _holds_answer(each: FinishedRun) -> bool:
    """Does the executed notebook show the answer that answer.json holds?"""
    shown = [
        "".join(output.get("data", {}).get("text/plain", []))
        for cell in cells(each.executed)
        for output in cell.get("outputs", [])
    ]
    return each.answer.get("answer", "") in shown
