"""Writes docs/validation.md and docs/power.md, with the numbers behind them (`make validate`)."""

import argparse
import os
import time
import warnings
from pathlib import Path

import pandas as pd

from capelib.paths import project_folder
from capelib.validation import page, power
from capelib.validation.cases import CASES
from capelib.validation.run import COLUMNS, twins_of, validate

POWER_PART = 0.15  # of the twins, for each cell of the power tables


def main() -> None:
    """Try every case, and write the pages; each case is written when it is done."""
    parser = argparse.ArgumentParser(prog="python -m capelib.validation", description=main.__doc__)
    parser.add_argument("--twins", type=int, default=1000, help="made-up records a case")
    parser.add_argument("--case", action="append", default=[], help="only this one; repeatable")
    parser.add_argument("--resume", action="store_true", help="keep rows that have enough twins")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # empty cells of a table are missing
    docs, start = project_folder("docs"), time.monotonic()
    path = docs / "validation.csv"
    rows = _rows(path)
    for case in CASES:
        wanted = twins_of(case, asked.twins)
        enough = case.name in rows.index and rows.loc[case.name, "twins"] >= wanted
        if (asked.case and case.name not in asked.case) or (asked.resume and enough):
            continue
        table = validate(asked.twins, [case.name], asked.processes).set_index("case")
        rows = pd.concat([rows.drop(index=case.name, errors="ignore"), table])
        order = [each.name for each in CASES if each.name in rows.index]
        rows = rows.loc[order]
        rows.to_csv(path, float_format="%.5g", lineterminator="\n")
        print(f"{time.monotonic() - start:5.0f} s  {case.name}", flush=True)
    text = page.page(_rows(path).reset_index())
    (docs / "validation.md").write_text(text, encoding="utf-8", newline="\n")
    if not asked.case:
        table = power.power(max(2, round(POWER_PART * asked.twins)), asked.processes)
        table.to_csv(docs / "power.csv", index=False, float_format="%.5g", lineterminator="\n")
        (docs / "power.md").write_text(power.page(table), encoding="utf-8", newline="\n")
    print(f"{time.monotonic() - start:5.0f} s  wrote {docs / 'validation.md'}")


def _rows(path: Path) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS).set_index("case")
    return pd.read_csv(path, index_col="case")


if __name__ == "__main__":
    main()
