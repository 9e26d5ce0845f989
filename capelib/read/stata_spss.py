"""Files of Stata and SPSS as cells of text: labels in place of codes, dates as exact as given."""

import struct
from pathlib import Path

import pandas as pd

from capelib.errors import DataError
from capelib.read.json_parquet import read_frame
from capelib.read.sheet import Notes, Sheet, bounded

_BROKEN = (
    *(ValueError, KeyError, IndexError, TypeError, OverflowError, EOFError, OSError),
    *(struct.error, MemoryError, NotImplementedError, ArithmeticError),
)
_DAYS = pd.Timestamp("1960-01-01")  # from which Stata counts
_MILLISECONDS = ("%tc", "%tC")


def read_stata(path: Path, file: str) -> Sheet:
    """Which texts does a Stata file hold? Rows are numbered from 1; `file` is its name in messages.

    Raises
    ------
    DataError
        Where the file is broken or too large.
    """
    try:
        with pd.io.stata.StataReader(
            path, convert_dates=False, convert_categoricals=False
        ) as reader:
            frame = reader.read()
            labels, formats = reader.value_labels(), list(reader._fmtlist)
            names = list(reader._lbllist)
    except _BROKEN as error:
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(
            f"{file} is a broken Stata file ({why}): export its table as CSV or xlsx"
        ) from None
    bounded(len(frame), len(frame.columns), file)
    texts = {}
    for number, name in enumerate(frame):
        texts[name] = _cells(frame[name], formats[number], labels.get(names[number], {}))
    return _read(pd.DataFrame(texts, index=frame.index), file, "Stata")


def _cells(cells: pd.Series, form: str, labels: dict) -> pd.Series:
    """A column with its labels, or its dates as exact as its format gives them."""
    if labels:
        return cells.astype(object).map(lambda code: labels.get(code, code))
    if not pd.api.types.is_numeric_dtype(cells):
        return cells
    if form.startswith(("%d", "%-d", "%td", "%-td")):
        return _written(_DAYS + pd.to_timedelta(cells, unit="D"), "%Y-%m-%d")
    if form.startswith(_MILLISECONDS):
        return _written(_DAYS + pd.to_timedelta(cells, unit="ms"), "%Y-%m-%d")
    if form.startswith("%tm"):
        return _counted(cells, 12, "{}-{:02}")
    if form.startswith("%tq"):
        return _counted(cells, 4, "{} Q{}")
    if form.startswith("%ty"):
        return _counted(cells - 1960, 1, "{}")
    return cells


def _written(days: pd.Series, form: str) -> pd.Series:
    return days.dt.strftime(form)


def _counted(cells: pd.Series, parts: int, form: str) -> pd.Series:
    """Months or quarters since 1960, in words."""
    numbers = cells.astype("Int64")
    texts = [
        None if pd.isna(number) else form.format(1960 + number // parts, number % parts + 1)
        for number in numbers
    ]
    return pd.Series(texts, index=cells.index, dtype="str")


def read_spss(path: Path, file: str) -> Sheet:
    """Which texts does an SPSS file hold? pandas needs the package pyreadstat for that.

    Raises
    ------
    DataError
        Where the package is not there, or the file is broken.
    """
    try:
        frame = pd.read_spss(path)
    except ImportError:
        raise DataError(
            f"{file} is a file of SPSS: export its table as CSV or xlsx, "
            "or install pyreadstat (pip install pyreadstat), which reads it"
        ) from None
    except Exception as error:  # pyreadstat has errors of its own
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(
            f"{file} is a broken SPSS file ({why}): export its table as CSV or xlsx"
        ) from None
    return _read(frame, file, "SPSS")


def _read(frame: pd.DataFrame, file: str, program: str) -> Sheet:
    notes = Notes()
    made = f"a file of {program}: labels stand in place of codes"
    notes.add("read.labels", made, certainty=0.95)
    return notes.before(read_frame(frame, file))
