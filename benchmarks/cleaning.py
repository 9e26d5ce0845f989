"""What cleaning a large and messy table costs: from a CSV file on disk to a Dataset, in a fresh
process for each size.

`python benchmarks/cleaning.py [--large]` prints processor seconds (of the user and of the system)
and the largest memory, draws them into docs/cleaning.svg, and gives the ratio to a plain
`DataFrame.apply(axis=1)` with the same rules, measured on 10,000 rows. The table is drawn from a
seeded generator: 10 columns, about 5,000 ways to write a date, some hundred spellings of states, a
fifth of all cells in the column of names distinct. In a second table all rows but one are bad.
`--large` adds ten million rows.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parent.parent
SIZES = [1_000, 10_000, 100_000, 1_000_000]
PLAIN = 10_000  # rows on which the plain way is measured
LIMIT_SECONDS, LIMIT_BYTES = 8.0, 1.5 * 2**30  # what one million messy rows may cost
MEASURE = """
import json, resource, sys, time
import capelib
start = time.process_time()
ds = capelib.load({path!r})
seconds = time.process_time() - start
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(json.dumps([seconds, peak, len(ds.incidents), len(ds.set_aside), len(ds.log)]))
"""


def _spellings(chance: np.random.Generator) -> tuple[list[str], list[str]]:
    """Some hundred ways to write a state of origin, and a host: the careless colleague's, in
    other letters, with spaces, misspelt.
    """
    import careless

    def more(words: list[str], often: int) -> list[str]:
        made = list(words)
        for word in words:
            place = int(chance.integers(1, max(2, len(word) - 1)))
            made += [word.upper(), f" {word}", f"{word}?", word[:place] + word[place + 1 :]]
        return made + words * often

    origins = [word for words in careless.ORIGINS.values() for word in words]
    hosts = [word for words in careless.HOSTS.values() for word in words]
    several = [
        "Russia / Turkey",
        "Россия, Турция",
        "Kazakhstan and Russia",
        "Poland\nAustria",
        "EU",
        "Yugoslavia",
        "",
        "-",
        "?",
    ]
    return more(origins, 30), [*more(hosts, 30), *several]


def _dates() -> list[str]:
    import datetime

    import careless

    days = [
        datetime.date(1995, 1, 13) + datetime.timedelta(days=29 * number) for number in range(310)
    ]
    written = [careless._csv(way) for day in days for way, _, _ in careless._dates(day)]
    return [*written, "", "n.d.", "05.03.15", "31.02.2015", "before 2015", "soon"]


def messy(rows: int, seed: int = 5) -> pd.DataFrame:
    """A table as the careless colleague would keep it, of any length."""
    import careless

    chance = np.random.default_rng(seed)
    origins, hosts = _spellings(chance)
    measures = [word for words in careless.MEASURES.values() for word in words]
    measures += [
        "detained, then deported",
        "arrested; extradited",
        "задержан и депортирован",
        "had some trouble",
    ]
    answers = [str(word) for words in careless.YES.values() for word in words]
    numbers = chance.integers(0, max(1, rows // 5), rows)

    def some(words: list[str], rare: float = 0.0) -> pd.Series:
        """Words at random; the last four more seldom than the others, by this factor."""
        often = np.ones(len(words))
        often[-4:] = rare or 1
        return (
            pd.Series(words, dtype="str")
            .take(chance.choice(len(words), rows, p=often / often.sum()))
            .reset_index(drop=True)
        )

    return pd.DataFrame(
        {
            "Name": "Person " + pd.Series(numbers).astype("str"),
            "Type of person": some([word for words in careless.TYPES.values() for word in words]),
            "Country of origin": some(origins),
            "Where?": some(hosts),
            "When": some(_dates(), 0.2),
            "What happened": some(measures, 0.5),
            "Family?": some(answers),
            "Interpol?": some(answers),
            "Source link": "https://example.org/report/"
            + pd.Series(chance.integers(0, max(1, rows // 10), rows)).astype("str"),
            "Notes": some(["", "", "", "see also the list", "=1+1"]),
        }
    )


def all_bad(rows: int) -> pd.DataFrame:
    """The same with nothing that can be used, but for the last row: with none at all there would
    be no Dataset.
    """
    table = messy(rows).assign(**{"What happened": "had some trouble", "When": "soon"})
    table.iloc[-1] = ["Person X", "imam", "Tajikistan", "Russia", "2015", "killed", "", "", "", ""]
    return table


def write(kind: Callable[[int], pd.DataFrame], rows: int, path: Path) -> None:
    """Writes a table in a process of its own: the memory that it takes would be counted for
    whatever this one starts.
    """
    made = get_context("spawn").Process(target=_write, args=(kind, rows, path))
    made.start()
    made.join()
    if made.exitcode:
        sys.exit(f"the table of {rows:,} rows could not be written")


def _write(kind: Callable[[int], pd.DataFrame], rows: int, path: Path) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    kind(rows).to_csv(path, index=False)


def cost(path: Path) -> dict[str, float]:
    """Seconds, bytes and counts of loading a file in a process of its own."""
    code = MEASURE.format(path=str(path))
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return dict(
        zip(
            ("seconds", "bytes", "incidents", "set_aside", "changes"),
            json.loads(done.stdout),
            strict=True,
        )
    )


def plain_seconds(path: Path) -> float:
    """Seconds of a plain `DataFrame.apply(axis=1)`: the same rules for states, dates, measures,
    categories and answers, cell by cell.

    It calls what the rules do with one text, without a frame around it; splitting cells, keys,
    duplicates and the list of changes, which `load` makes too, are left out.
    """
    import time

    from capelib.meaning import codes, free_text_dates, state_names, yes_no
    from capelib.vocabulary.text import plain

    rules = {
        "Country of origin": lambda cell: state_names.read_all([(cell, None)])[0].value,
        "Where?": lambda cell: state_names.read_all([(cell, None)])[0].value,
        "When": lambda cell: free_text_dates.read_all([plain(cell)])[0].value if cell else None,
        "What happened": lambda cell: codes.read_codes([plain(cell)], "measure")[0].value,
        "Type of person": lambda cell: codes.read_codes([plain(cell)], "category")[0].value,
        "Family?": lambda cell: yes_no.read_answer(plain(cell)).value,
        "Interpol?": lambda cell: yes_no.read_answer(plain(cell)).value,
    }

    def row(cells: pd.Series) -> pd.Series:
        return pd.Series({name: rule(cells[name]) for name, rule in rules.items()})

    table = pd.read_csv(path, keep_default_na=False, dtype="str")
    row(table.iloc[0])
    start = time.process_time()
    table.apply(row, axis=1)
    return time.process_time() - start


def draw(found: pd.DataFrame, target: Path) -> None:
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "cleaning"
    figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
    axis.loglog(found["rows"], found["seconds"], "o-", color="#0072B2")
    slope = found["seconds"].iloc[-1] / found["rows"].iloc[-1]
    axis.loglog(found["rows"], found["rows"] * slope, ":", color="#555555")
    even, grey = (
        (found["rows"].iloc[1], found["rows"].iloc[1] * slope),
        {"color": "#555555", "fontsize": 9},
    )
    axis.annotate(
        "as many times the seconds\nas times the rows",
        even,
        (6, -4),
        textcoords="offset points",
        va="top",
        **grey,
    )
    for line in found.itertuples():
        said, large = f"{line.seconds:.2g} s, {line.bytes / 2**20:,.0f} MiB", line.rows >= 1e5
        at, sides = ((2, 8), ("right", "bottom")) if large else ((-4, -8), ("left", "top"))
        axis.annotate(
            said,
            (line.rows, line.seconds),
            at,
            textcoords="offset points",
            fontsize=9,
            ha=sides[0],
            va=sides[1],
        )
    axis.set(xlabel="rows of the table", ylabel="processor seconds")
    axis.set_title("What does it cost to clean a messy table?", loc="left", fontweight="bold")
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, metadata={"Date": None})
    figure.savefig(target.with_suffix(".png"), dpi=150)


def main() -> None:
    """Run all sizes and print a table."""
    sys.path.insert(0, str(ROOT / "tests"))
    sizes = [*SIZES, 10_000_000] if "--large" in sys.argv else SIZES
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "messy.csv"
        for rows in sizes:
            write(messy, rows, path)
            lines.append({"rows": rows} | cost(path))
            print(lines[-1] if "error" in lines[-1] else _line(lines[-1]), flush=True)
            if rows == PLAIN:
                plain = plain_seconds(path)
        write(all_bad, 1_000_000, path)
        bad = cost(path)
        print("all rows bad but one:", bad.get("error") or _line({"rows": 1_000_000} | bad))
    found = pd.DataFrame(lines)
    draw(found, ROOT / "docs" / "cleaning.svg")
    found.to_csv(ROOT / "docs" / "cleaning.csv", index=False)
    million = found.set_index("rows").loc[1_000_000]
    ratio, each = (
        plain / lines[SIZES.index(PLAIN)]["seconds"],
        1_000_000 / PLAIN * plain / million["seconds"],
    )
    print(
        f"apply(axis=1) by the same rules: {plain:.1f} s for {PLAIN:,} rows, "
        f"{ratio:.0f} times as long; {each:.0f} times if a million took"
    )
    print(
        "it a hundred times that (not measured). "
        "It neither splits cells nor makes keys, nor finds duplicates, nor lists changes."
    )
    good = million["seconds"] < LIMIT_SECONDS and million["bytes"] < LIMIT_BYTES
    print(
        f"one million rows in {LIMIT_SECONDS:.0f} s and {LIMIT_BYTES / 2**30} GiB: "
        f"{'yes' if good else 'NO'}"
    )


def _line(found: dict[str, float]) -> str:
    cost = f"{found['seconds']:8.2f} s {found['bytes'] / 2**20:7,.0f} MiB"
    counts = f"{found['incidents']:,} incidents, {found['set_aside']:,} rows set aside"
    return f"{found['rows']:>10,} rows {cost}   {counts}, {found['changes']:,} changes told"


if __name__ == "__main__":
    main()
