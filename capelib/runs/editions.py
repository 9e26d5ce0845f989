"""docs/editions.md: what changed between the editions of the public record, and what moved by it.

Every notebook is run on both editions, so that the page holds what the notebooks themselves say.
`python -m capelib.runs.editions` writes it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from capelib.errors import CapeError
from capelib.files import ANSWER, read_json
from capelib.paths import project_folder
from capelib.runs import runner
from capelib.runs.parameters import declared
from capelib.vocabulary import editions
from capelib.vocabulary.codebook import codebook, codes

UNITS = {"share": 100, "difference": 100, "ratio": 1, "count": 1}
_HEAD = """\
# Editions of the public record

Made by `python -m capelib.runs.editions` (`make editions`): every notebook is run with its defaults
on both editions. Look at the diff before you commit it.

An earlier edition comes back row for row: `cape.load(edition="{before}")`, `-p edition={before}`,
`cape findings --edition {before}`. Ids never change. What was withdrawn is in no edition.
"""


def made(out: Path, build: Path, jobs: int = 1) -> dict[str, list[dict[str, Any]]]:
    """What do the notebooks answer on the first and on the current edition?

    Parameters
    ----------
    out, build
        As for `runner.reproduce`; runs that have not changed are not repeated.
    jobs
        How many at once.

    Returns
    -------
    dict
        By notebook, what answer.json holds on the first and on the current edition.

    Raises
    ------
    CapeError
        A run failed.
    """
    both = [editions.first(), editions.current()]
    with_edition = [
        stem for stem, path in runner.notebooks().items() if "edition" in declared(path)
    ]
    runs = runner.plan(with_edition, {}, {"edition": both})
    folders = {}
    for outcome in runner.reproduce(runs, out, build, jobs=jobs):
        if outcome.status == "failed":
            raise CapeError(f"{outcome.run.name}: {outcome.error}")
        key = (outcome.run.notebook.stem, outcome.run.parameters["edition"])
        folders[key] = read_json(outcome.folder / ANSWER)
    return {stem: [folders[stem, edition] for edition in both] for stem in with_edition}


def page(answers: dict[str, list[dict[str, Any]]]) -> str:
    """The page as Markdown.

    Parameters
    ----------
    answers
        From `made`.
    """
    before, now = editions.first(), editions.current()
    unsafe = codebook()["not_safe"]["attribution_by_edition"]["sentence"]
    parts = [
        _HEAD.format(before=before),
        "## What changed\n",
        *_changes(before, now),
        f"Not safe to rest a claim on: {unsafe}\n",
        "## Which answers moved\n",
        "Intervals are the notebooks' own, 95 %. Where a number moved, the record's own size was "
        "one of the choices behind it.\n",
    ]
    for notebook, (first, second) in answers.items():
        parts += _answers(notebook, first, second)
    parts += ["## Which verdicts on published numbers moved\n", *_verdicts(answers)]
    return "\n".join(parts)


def _changes(before: str, now: str) -> list[str]:
    rows = editions.changed(before)
    sizes = rows[rows["column"] == "(rows)"]
    columns = ["table", "before", "added", "removed", "now"]
    cells = rows[rows["column"] != "(rows)"]
    why = codebook()["codes"]["found_by"]
    counts = editions.corrections(before)["found_by"].value_counts()
    labels = codes("found_by")
    reasons = [
        (labels[name], why[name].get("description", ""), counts[name])
        for name in labels
        if name in counts
    ]
    return [
        _table(("rows of", before, "added", "removed", now), sizes[columns].to_numpy().tolist()),
        _table(
            ("cells corrected in", "column", "cells", "how they came to light"),
            cells[["table", "column", "corrected", "found_by"]].to_numpy().tolist(),
        ),
        _table(("came to light by", "", "cells"), reasons),
        "Each correction stands with its reason in [data/changes.csv](../data/changes.csv).\n",
    ]


def _answers(notebook: str, first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """The two answers of a notebook and the numbers behind them, side by side."""
    sides = [{row["estimate"]: row for row in answer["estimates"]} for answer in (first, second)]
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    rows = [(name, *(_estimate(side.get(name)) for side in sides)) for name in names]
    before, now = editions.first(), editions.current()
    parts = [f"### [{notebook}](../notebooks/{notebook}.ipynb)\n"]
    if rows:
        parts.append(_table(("number", before, now), rows))
    return [*parts, f"- {before}: {first['answer']}\n- {now}: {second['answer']}\n"]


def _estimate(row: dict[str, Any] | None) -> str:
    """A number with its interval and n, as a cell of a table."""
    if row is None:
        return "not there"
    if row["value"] is None:
        return f"too few cases, n = {row['n']}"
    factor = UNITS[row["unit"]]
    digits = 0 if row["unit"] in ("share", "difference", "count") else 2
    sign = "+" if row["unit"] == "difference" else ""
    words = {"share": " %", "difference": " points"}.get(row["unit"], "")
    text = f"{factor * row['value']:{sign}.{digits}f}{words}"
    if row["low"] is not None and row["high"] is not None:
        low, high = (f"{factor * row[end]:{sign}.{digits}f}" for end in ("low", "high"))
        text += f" [{low}, {high}]"
    return f"{text}, n = {row['n']}"


def _verdicts(answers: dict[str, list[dict[str, Any]]]) -> list[str]:
    """How often each verdict was given, and every one that moved."""
    ledger = answers.get("12_published_findings")
    if ledger is None:
        return []
    sides = [{(v["finding_id"], v["reading"]): v for v in each["verdicts"]} for each in ledger]
    names = list(dict.fromkeys(v["verdict"] for side in sides for v in side.values()))
    counts = [
        (name, *(sum(v["verdict"] == name for v in side.values()) for side in sides))
        for name in sorted(names)
    ]
    before, now = editions.first(), editions.current()
    shown = []
    for key in sides[1]:
        old, new = (side.get(key) for side in sides)
        if (
            old is None
            or new is None
            or (old["verdict"], old["here"])
            == (
                new["verdict"],
                new["here"],
            )
        ):
            continue
        reading = f" ({new['reading']})" if new["reading"] else ""
        cells = (f"{v['verdict']}: {v['here']}" if v["here"] else v["verdict"] for v in (old, new))
        statement = f"{new['statement']}{reading}"
        shown.append((f"`{key[0]}`", statement, new["published"], *cells))
    return [
        "Of each reading of each number:\n",
        _table(("verdict", before, now), counts),
        "Those of which the verdict or our number moved:\n",
        _table(("finding", "statement", "published", before, now), shown),
    ]


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown, with an empty line behind it."""
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write docs/editions.md."""
    build = Path("build/editions")
    answers = made(build / "figures", build, os.cpu_count() or 1)
    path = project_folder("docs") / "editions.md"
    path.write_text(page(answers), encoding="utf-8", newline="\n")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
