"""What a notebook found: its answer in one sentence and its verdicts, shown, and written for `cape reproduce`."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from capelib.dataset.dataset import Info
from capelib.errors import ParameterError
from capelib.files import ANSWER, as_json, write_files
from capelib.findings.verdicts import Verdict

ESTIMATES = ("estimate", "value", "low", "high", "n", "unit")


class Answer:
    """One computed sentence; shown in bold in a notebook."""

    def __init__(self, sentence: str, label: str) -> None:
        self.sentence, self.label = sentence, label

    def _repr_markdown_(self) -> str:
        return f"**{self.sentence}** *(Data: {self.label}.)*"

    def __repr__(self) -> str:
        return self.sentence


def answer(
    sentence: str,
    info: Info,
    verdicts: Sequence[Verdict] = (),
    out: str | Path = "",
    estimates: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
) -> Answer:
    """The notebook's answer in one sentence, with its verdicts on published numbers and its main estimates.

    sentence: computed, not typed in. info: of the dataset that it rests on. verdicts: from `cape.findings.check`.
    out: the folder for answer.json; "" writes nothing. estimates: one row each: `estimate` (label), `value`, `low`, `high`, `n`,
        `unit` ("share", "difference": fractions; "ratio"; "count"): what a comparison of runs sets side by side; missing
        values where there are too few cases. notes: sentences more for `cape reproduce` to end with.
    Returns something that a notebook shows in bold.
    Raises ParameterError where estimates lacks a column.

    >>> import capelib as cape
    >>> answer("It rose.", cape.load().info)
    It rose.
    """
    rows = pd.DataFrame(columns=list(ESTIMATES)) if estimates is None else estimates
    if missing := [name for name in ESTIMATES if name not in rows]:
        raise ParameterError(f"estimates lacks the column(s) {', '.join(missing)}")
    if str(out):
        numbers = json.loads(rows[list(ESTIMATES)].to_json(orient="records", double_precision=6))
        content = {
            "answer": sentence,
            "data": info.source_line,
            "label": info.label,
            "estimates": numbers,
            "notes": list(notes),
            "verdicts": [verdict.row() for verdict in verdicts],
        }
        write_files(Path(out), {ANSWER: as_json(content)})
    return Answer(sentence, info.label)
