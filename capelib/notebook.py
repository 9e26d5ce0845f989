"""What a notebook imports: its parameters checked, its answer written, and what the data at hand lacks."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from capelib.dataset import CENTRAL_ASIA, Dataset, Info
from capelib.errors import ParameterError
from capelib.files import ANSWER, as_json, write_files
from capelib.vocabulary.codebook import PUBLIC_RECORD, break_margin, codes, require
from capelib.vocabulary.tables import states

if TYPE_CHECKING:
    from capelib.findings.verdicts import Verdict

ESTIMATES = ("estimate", "value", "low", "high", "n", "unit")
FIRST, LAST = 1950, 2100


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
    verdicts: "Sequence[Verdict]" = (),
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


_HELD: dict[str, tuple[Callable[[Dataset], bool], str]] = {
    "host": (lambda ds: ds.incidents["host"].notna().any(), "No incident names a host"),
    "date": (lambda ds: ds.incidents["date_start"].notna().any(), "No incident has a date"),
    "category": (lambda ds: ds.exiles["category"].ne("unknown").any(), "No exile has a category"),
    "relatives": (
        lambda ds: (
            ds.incidents["relatives_targeted"].eq(True)
            | ds.incidents["measure"].eq("relatives_targeted")
        ).any(),
        "No incident says that relatives were targeted",
    ),
}


def gaps(ds: Dataset, origin: str | Iterable[str] | None, *needed: str) -> list[str]:
    """What does a question need that the data at hand does not hold at all?

    ds: the whole dataset. origin: the state(s) that the question is about; None for all. needed: "host", "date", "category",
        "relatives".
    Returns sentences, none where all is there. Raises ParameterError for another need or state.

    >>> import capelib as cape
    >>> ds = cape.load()
    >>> gaps(ds, "TJK", "host", "date"), gaps(ds.where(origin="TUR"), "TJK", "host")[0][:46]
    ([], 'No incident by Tajikistan is in the data: its ')
    """
    require("need", needed, list(_HELD))
    chosen = ds if origin is None else ds.where(origin=origin)
    if chosen.incidents.empty:
        asked = require("state", origin or [], states())
        wanted = (
            "the five Central Asian states"
            if set(asked) == set(CENTRAL_ASIA)
            else " or ".join(states()[state] for state in asked)
        )
        there = ds.incidents["origin"].value_counts()
        listed = ", ".join(
            f"{states()[state]} ({count})" for state, count in there.head(5).items()
        ) + (" ..." if len(there) > 5 else "")
        choose = f"; choose one with `-p origin={there.index[0]}`" if len(there) else ""
        return [
            f"No incident by {wanted or 'any state'} is in the data: its pursuing states are {listed or 'none'}{choose}."
        ]
    return [
        f"{said} in {ds.info.label}: whatever needs one stays empty below."
        for has, said in map(_HELD.get, needed)
        if not has(chosen)
    ]


def check_parameters(**values: Any) -> None:
    """Are these values of notebook parameters allowed, alone and together?

    Known parameters: dataset, vintage, origin, first_year, last_year, break_year, split_year, split_years, unit, measure, model,
    regime_measure, cutoff, stages, doubtful, out; others are not looked at. Raises ParameterError that lists everything that is
    wrong, each with the nearest allowed value.

    >>> check_parameters(origin="TAJ")
    Traceback (most recent call last):
    capelib.errors.ParameterError: unknown state 'TAJ': did you mean TJK, Tajikistan?
    """
    wrong: list[str] = []
    for name, value in values.items():
        try:
            if name in _CHECKS:
                _CHECKS[name](value)
        except ParameterError as error:
            wrong.append(str(error))
    if not wrong:
        wrong = _together(values)
    if wrong:
        raise ParameterError("; ".join(wrong))


def _year(name: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not FIRST <= value <= LAST:
            raise ParameterError(f"{name} must be a year from {FIRST} to {LAST}, not {value!r}")

    return check


def _split_years(value: Any) -> None:
    if (
        not isinstance(value, list)
        or not value
        or any(type(year) is not int for year in value)
        or value != sorted(set(value))
    ):
        raise ParameterError(
            f"split_years must be a list of years that rise, such as [2011, 2016], not {value!r}"
        )
    for year in value:
        _year("split_years")(year)


def _text(name: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not isinstance(value, str):
            raise ParameterError(f"{name} must be text, not {value!r}")

    return check


def _dataset(value: Any) -> None:
    _text("dataset")(value)
    if "://" in value:  # what stands at an address can change between two runs
        raise ParameterError(f"a run rests on a file: download {value} and give its path")
    if value != PUBLIC_RECORD and not Path(value).expanduser().exists():
        raise ParameterError(
            f'no dataset {value!r}: give "{PUBLIC_RECORD}" or the path of a table or folder that exists'
        )


def _vintage(value: Any) -> None:
    require("vintage", value, list(codes("vintage")))


def _origin(value: Any) -> None:
    require("state", value, states())


def _stages(value: Any) -> None:
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise ParameterError(
            f"stages must be a list of different stages such as [2, 3], not {value!r}"
        )
    require(
        "stage",
        [str(stage) if type(stage) is int else repr(stage) for stage in value],
        codes("stage"),
    )


def _flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise ParameterError(f"doubtful must be True or False, not {value!r}")


_CHECKS: dict[str, Callable[[Any], object]] = {
    "dataset": _dataset,
    "vintage": lambda value: value == "" or _vintage(value),
    "origin": lambda value: value == "all" or _origin(value),
    "first_year": _year("first_year"),
    "last_year": _year("last_year"),
    "break_year": _year("break_year"),
    "split_year": _year("split_year"),
    "split_years": _split_years,
    "unit": lambda value: require("unit", value, codes("unit")),
    "measure": lambda value: value == "all" or require("measure", value, codes("measure")),
    "model": lambda value: require("model", value, codes("model")),
    "regime_measure": lambda value: require("regime measure", value, codes("regime_measure")),
    "stages": _stages,
    "doubtful": _flag,
    "out": _text("out"),
}


def _together(values: dict[str, Any]) -> list[str]:
    wrong, needed = [], break_margin()
    if values.get("vintage") and values.get("dataset") == PUBLIC_RECORD:
        wrong.append(
            "the built-in public record is not a published release: give a vintage with a dataset of yours"
        )
    first, last = values.get("first_year"), values.get("last_year")
    if first is not None and last is not None:
        if first >= last:
            wrong.append(f"first_year {first} must lie before last_year {last}")
        else:
            for name, margin, after in (("break_year", needed, needed - 1), ("split_year", 1, 0)):
                value = values.get(name)
                if value is not None and not first + margin <= value <= last - after:
                    must = f"{name} {value} must leave {margin} year(s) before it and {after + 1} from it on"
                    wrong.append(
                        f"{must}: choose {first + margin} to {last - after}"
                        if first + margin <= last - after
                        else f"{must}: widen the period"
                    )
    if "cutoff" in values:
        from capelib.reference import regimes

        try:
            regimes.at_or_below(values.get("regime_measure", "fiw"), values["cutoff"])
        except ParameterError as error:
            wrong.append(str(error))
    return wrong
