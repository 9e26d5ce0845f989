"""What a notebook found: its answer in one sentence and its verdicts, shown, and written for `cape reproduce`."""

from collections.abc import Sequence
from pathlib import Path

from capelib.dataset.dataset import Info
from capelib.figures.saving import as_json, write_files
from capelib.findings.ledger import Verdict

ANSWER = "answer.json"


class Answer:
    """One computed sentence; shown in bold in a notebook."""

    def __init__(self, sentence: str, label: str) -> None:
        self.sentence, self.label = sentence, label

    def _repr_markdown_(self) -> str:
        return f"**{self.sentence}** *(Data: {self.label}.)*"

    def __repr__(self) -> str:
        return self.sentence


def answer(sentence: str, info: Info, verdicts: Sequence[Verdict] = (), out: str | Path = "") -> Answer:
    """The notebook's answer in one sentence, with its verdicts on published numbers.

    sentence: computed, not typed in. info: of the dataset that it rests on. verdicts: from `cape.findings.compare`.
    out: the folder for answer.json; "" writes nothing. Returns something that a notebook shows in bold.

    >>> import capelib as cape
    >>> answer("It rose.", cape.load().info)
    It rose.
    """
    if str(out):
        content = {"answer": sentence, "data": info.source_line, "label": info.label, "verdicts": [verdict.row() for verdict in verdicts]}
        write_files(Path(out), {ANSWER: as_json(content)})
    return Answer(sentence, info.label)
