"""Numbers of the data that tests and READMEs repeat: one command writes them, the diff is reviewed.

`make manifest` (or `python tests/manifest.py`) writes `tests/data_manifest.toml` from the files,
puts the numbers of the data into the sentences of the two READMEs that state them, makes the
README's table of verdicts from the answer of notebook 12 as committed, and adds a row to the
README's table for a notebook that it lacks.
"""

import json
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from string import Formatter

import pandas as pd

import capelib as cape
from capelib.files import cells
from capelib.vocabulary.codebook import codebook, columns
from capelib.vocabulary.tables import read_text

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data"
MANIFEST = Path(__file__).with_name("data_manifest.toml")

HEADER = """\
# What ships: rows, years and columns (with the codebook's types) of every table; all other files.
# Written by `make manifest`. Look at the diff before you commit it: a number that changes without a
# reason is the error that this file is for.
"""
LISTS = """\
# Lists of names and words by which a reader's table is read: none of them is data about anybody.
"""
# Sentences of the READMEs that state numbers of the data. A blank may be the end of a line there.
SENTENCES = {
    "README.md": [
        "holds {incidents} incidents against {exiles} exiles, coded by hand from {sources} public",
        "a verdict on each of {findings} published numbers",
        "do they fit together? {relations} relations",
        "addresses of sources ({named} of {sources} hold one",
    ],
    "data/README.md": [
        "{incidents} incidents, {first_year}-{last_year}, in which a state pursued",
        "against {exiles} exiles, coded by hand from {sources} public reports",
        "{undated} incidents have no date",
        "marks {doubtful} incidents",
        "{central_asian} incidents are by {pursuers}. "
        "The other {comparison}, by {comparison_states} states",
        "before 2001 are few ({before_2001})",
        "Of its {rated} dated rows {rated_NF} % took effect in Not Free, "
        "{rated_PF} % in Partly Free and {rated_F} % in Free states; "
        "with each episode counted once it is {once_NF}, {once_PF} and {once_F} %",
        "in {named} of the {sources} a person's name stands",
        "addresses of sources ({named} of {sources} hold one",
        "lies between the two ({intervals} dates)",
        "(`published` in `sources.csv`, known for {published})",
        "for each of {search_effort} origins (`search_effort.csv`, `search_rounds.csv`): "
        "{search_rounds} incidents",
        "{uncoded} threats, assaults, disappearances and cases of surveillance still have no",
        "{kind_cape} sources are CAPE's own pages",
        "{kind_interested_party} sources are interested parties",
        "Edition {edition_year}-{edition_month}",
        "names of states that the Unicode CLDR lacks ({names}), "
        "cities and regions with their state of today ({cities})",
        "refugees and asylum-seekers abroad from {pursuers}, {displaced_first}-{displaced_last}",
        "read as a state of today ({historical})",
        "words for not known ({not_states})",
        "words for the codes, in English and Russian ({code_words})",
    ],
}


# The findings in the README's table of verdicts, and whose they are where the statement lacks it.
FINDINGS = {
    "fa2022-autoc-share-2021": " (Freedom House)",
    "fa2022-autoc-share-2014-2020": " (Freedom House)",
    "fa2022-autoc-share-diff": " (Freedom House)",
    "cape1-uzb-tjk-share": " (CAPE)",
    "lemon2016-tjk-cases": " (Lemon 2016)",
    "fh2025-top10-share": " (Freedom House 2025)",
}
VERDICTS = "| published | statement | here, 95 % interval | verdict |\n|---|---|---|---|\n"

UNSURE = ["threat", "assault", "disappearance", "surveillance"]  # whose author is often unknown
FIELD = {"pursuers": "[^.,|]+?"}  # fields that are no number


def rows() -> dict[str, int]:
    """The reviewed number of rows of each table."""
    tables = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))["table"]
    return {name: table["rows"] for name, table in tables.items()}


# ---------------------------------------------------------------- the manifest


def text() -> str:
    """The manifest that the files call for."""
    tables = codebook()["table"]
    paths = {path.relative_to(DATA).as_posix() for path in DATA.rglob("[!.]*") if path.is_file()}
    others = paths - {entry["path"] for entry in tables.values()}
    lists = sorted(path for path in others if path.endswith(".csv"))
    parts = [HEADER, _lines("documents", sorted(others - set(lists))), LISTS]
    for path in lists:
        frame = read_text(DATA / path)
        parts.append(f'[list."{path}"]\nrows = {len(frame)}\n{_line("columns", list(frame))}')
    for name, entry in tables.items():
        frame = read_text(DATA / entry["path"])
        types = [f"{column}: {spec['type']}" for column, spec in columns(name).items()]
        years = _years(frame, entry.get("year", []))
        parts.append(f"[table.{name}]\nrows = {len(frame)}\n{years}{_lines('columns', types)}")
    return "\n".join(parts)


def _years(frame: pd.DataFrame, dated: str | list[str]) -> str:
    """The line with the first and the last year; nothing for a table without dates."""
    named = [dated] if isinstance(dated, str) else dated
    years = [int(date[:4]) for column in named for date in frame[column].dropna()]
    return f"years = [{min(years)}, {max(years)}]\n" if years else ""


def _line(key: str, values: list[str]) -> str:
    """A list on one line."""
    listed = ", ".join(f'"{value}"' for value in values)
    return f"{key} = [{listed}]\n"


def _lines(key: str, values: list[str]) -> str:
    """A list with one value a line."""
    return f"{key} = [\n" + "".join(f'    "{value}",\n' for value in values) + "]\n"


# ---------------------------------------------------------------- the READMEs


@cache
def numbers() -> dict[str, object]:
    """The numbers that the sentences name."""
    ds = cape.load()
    incidents, kinds = ds.incidents, ds.sources["kind"].value_counts()
    central_asian = incidents["origin"].isin(cape.CENTRAL_ASIA)
    comparison = incidents[~central_asian]
    rated = cape.add_regime(comparison[comparison["year"].notna()])
    once = rated[rated["episode_id"].isna() | ~rated.duplicated("episode_id")]
    facts: dict[str, object] = {
        name: len(read_text(DATA / entry["path"])) for name, entry in codebook()["table"].items()
    }
    for name in ("names", "cities", "historical", "not_states"):
        facts[name] = len(read_text(DATA / "names" / f"{name}.csv"))
    facts["code_words"] = sum(
        len(read_text(DATA / "words" / f"{name}.csv"))
        for name in ("measures", "categories", "kinds", "attributions")
    )
    facts["edition_year"], facts["edition_month"] = codebook()["dataset"]["edition"].split("-")
    displaced = cape.table("displaced")["year"]
    facts |= {
        "displaced_first": str(displaced.min()),
        "displaced_last": str(displaced.max()),
        "pursuers": cape.pursuers("all").words,
        "first_year": str(incidents["year"].min()),
        "last_year": str(incidents["year"].max()),
        "undated": incidents["date"].isna().sum(),
        "doubtful": incidents["doubtful"].sum(),
        "central_asian": central_asian.sum(),
        "comparison": len(comparison),
        "comparison_states": comparison["origin"].nunique(),
        "before_2001": (incidents[central_asian]["year"] < 2001).sum(),
        "rated": len(rated),
        "named": ds.sources["name_in_address"].sum(),
        "published": ds.sources["published"].notna().sum(),
        "intervals": incidents["date"].str.contains("/").sum(),
        "uncoded": (incidents["attribution"].isna() & incidents["measure"].isin(UNSURE)).sum(),
    }
    for selection, frame in (("rated", rated), ("once", once)):
        shares = frame["host_fiw"].value_counts(normalize=True) * 100
        facts |= {f"{selection}_{status}": round(share) for status, share in shares.items()}
    return facts | {f"kind_{kind}": count for kind, count in kinds.items()}


def readme(file: str) -> str:
    """A README with the numbers of the data in its sentences, and with all tables or notebooks."""
    facts = numbers()
    content = (ROOT / file).read_text(encoding="utf-8")
    for sentence in SENTENCES[file]:
        content = _stated(content, sentence, facts, file)
    if file == "README.md":
        return _with_notebooks(_with_verdicts(content))
    for name, entry in codebook()["table"].items():
        content = _stated(content, f"| `{entry['path']}` | {{{name}}} |", facts, file)
    return content


def _stated(content: str, sentence: str, facts: dict[str, object], file: str) -> str:
    """The text with this sentence's numbers put in; its ends of lines stay where they are."""
    pieces = list(Formatter().parse(sentence))
    pattern = ""
    for literal, field, _, _ in pieces:
        words = re.sub(r"(\\ )+", r"\\s+", re.escape(literal))
        pattern += f"({words})" + FIELD.get(field, r"[\d,]+" if field else "")

    def stated(match: re.Match[str]) -> str:
        written = ""
        for group, (_, field, _, _) in zip(match.groups(), pieces, strict=True):
            fact = facts[field] if field else ""
            written += group + (fact if isinstance(fact, str) else f"{fact:,}")
        return written

    content, times = re.subn(pattern, stated, content)
    if times != 1:
        raise SystemExit(
            f"{file}: expected once, but {times} times there: {sentence!r}. "
            f"Write it there, or change SENTENCES in tests/manifest.py"
        )
    return content


def answer(notebook: str) -> dict:
    """The answer of a notebook with its defaults, as committed."""
    path = ROOT / "figures" / notebook / "answer.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _with_verdicts(content: str) -> str:
    """The README with the verdicts of notebook 12 in its table: none is ever typed."""
    start, end = content.index(VERDICTS) + len(VERDICTS), content.index("\n\nUnder another def")
    of_ledger = answer("12_published_findings")
    rows = []
    for finding, whose in FINDINGS.items():
        readings = [row for row in of_ledger["verdicts"] if row["finding_id"] == finding]
        if not readings:
            raise SystemExit(f"README.md: notebook 12 has no verdict on {finding}")
        rows += [_verdict_row(row, whose if row is readings[0] else None) for row in readings]
    return content[:start] + "\n".join(rows) + content[end:]


def _verdict_row(row: dict, whose: str | None) -> str:
    """A row of the table; whose: None for a further reading of the finding in the row above."""
    statement = "..." if whose is None else row["statement"].removesuffix(".") + whose
    if row["reading"]:
        statement += f", read as: {row['reading']}"
    here, verdict = row["here"], row["verdict"]
    if verdict in ("adds up", "does not add up"):
        here = _shortened(row["reason"])
    return f"| {row['published']} | {statement} | {here} | {verdict} |"


def _shortened(arithmetic: str) -> str:
    """A sum of many terms without those in the middle."""
    return re.sub(r"(\d+ \+ \d+)(?: \+ \d+)+( \+ \d+)", r"\1 + ...\2", arithmetic)


def _with_notebooks(content: str) -> str:
    """The README with a row for each notebook: one that it lacks gets its title as the question."""
    lines = content.splitlines()
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        if f"(notebooks/{path.name})" in content:
            continue
        first = "".join(cells(path)[0]["source"])
        number, question = first.splitlines()[0].removeprefix("# ").split(maxsplit=1)
        table = [place for place, line in enumerate(lines) if "](notebooks/" in line]
        before = [place for place in table if lines[place] < f"| [{number}]"]
        lines.insert(before[-1] + 1, f"| [{number}](notebooks/{path.name}) | {question} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the manifest and the READMEs; name what changed."""
    for path, content in [(MANIFEST, text())] + [(ROOT / file, readme(file)) for file in SENTENCES]:
        if content != path.read_text(encoding="utf-8"):
            path.write_text(content, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} has changed: look at the diff", file=sys.stderr)


if __name__ == "__main__":
    main()
