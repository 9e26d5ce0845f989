"""What a notebook imports: its parameters checked, its answer written, and what the data lacks."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from capelib.dataset import Dataset, Info
from capelib.errors import ParameterError
from capelib.estimators.counts import years as in_words
from capelib.files import ANSWER, as_json, write_files
from capelib.meaning.arguments import codes_meant, states_meant
from capelib.meaning.pursuers import pursuers
from capelib.reference import regimes
from capelib.vocabulary.codebook import PUBLIC_RECORD, break_margin, codebook, codes, require, spelt
from capelib.vocabulary.editions import current, of_public_record
from capelib.vocabulary.tables import states

if TYPE_CHECKING:
    from capelib.findings.verdicts import Verdict

ESTIMATES = ("estimate", "value", "low", "high", "n", "unit")
FIRST, LAST = 1950, 2100  # years that a parameter may name
EVERY = "all"  # every origin, every measure
MOST_STATES = 5  # that a sentence lists

_TAG = re.compile(r"<(?=[A-Za-z/!?])")  # a file may be called so; "< 0.05" is none


class Answer:
    """What is the answer? One computed sentence; shown in bold in a notebook.

    Attributes
    ----------
    sentence : str
    label : str
        Whose data it rests on.
    """

    def __init__(self, sentence: str, label: str) -> None:
        self.sentence = sentence
        self.label = label

    def _repr_markdown_(self) -> str:
        return _TAG.sub("&lt;", f"**{self.sentence}** *(Data: {self.label}.)*")

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
    """What is the notebook's answer, in one sentence, and which numbers stand behind it?

    Parameters
    ----------
    sentence
        Computed, not typed in. What the dataset leaves out (`info.left_out`) is added to it.
    info
        Of the dataset that it rests on.
    verdicts
        On published numbers, from `cape.findings.check`.
    out
        The folder for answer.json; "" writes nothing.
    estimates
        What a comparison of runs sets side by side, one row each: `estimate` (label), `value`,
        `low`, `high` (95 % interval), `n`, `unit` ("share", "difference": fractions; "ratio";
        "count"). Missing values where there are too few cases.
    notes
        More sentences, for the end of `cape reproduce`.

    Returns
    -------
    Answer
        Shown in bold by a notebook.

    Raises
    ------
    ParameterError
        Where `estimates` lacks a column.

    Examples
    --------
    >>> import capelib as cape
    >>> answer("It rose.", cape.load().info)
    It rose.
    """
    rows = pd.DataFrame(columns=list(ESTIMATES)) if estimates is None else estimates
    if missing := [name for name in ESTIMATES if name not in rows]:
        raise ParameterError(f"estimates lacks the column(s) {', '.join(missing)}")
    if info.left_out:
        sentence = f"{sentence} {info.left_out}"
    if str(out):
        numbers = json.loads(rows[list(ESTIMATES)].to_json(orient="records", double_precision=6))
        content = {
            "answer": sentence,
            "data": info.source_line,
            "label": info.label,
            "edition": info.edition,
            "estimates": numbers,
            "notes": list(notes),
            "verdicts": [verdict.row() for verdict in verdicts],
        }
        write_files(Path(out), {ANSWER: as_json(content)})
    return Answer(sentence, info.label_with_edition)


def _names_relatives(ds: Dataset) -> bool:
    reported = ds.incidents["relatives_targeted"].eq(True)
    return (reported | ds.incidents["measure"].eq("relatives_targeted")).any()


# By need: does a dataset hold it, and the sentence where it does not.
_NEEDS: dict[str, tuple[Callable[[Dataset], bool], str]] = {
    "host": (lambda ds: ds.incidents["host"].notna().any(), "No incident names a host"),
    "date": (lambda ds: ds.incidents["date_start"].notna().any(), "No incident has a date"),
    "category": (lambda ds: ds.exiles["category"].ne("unknown").any(), "No exile has a category"),
    "relatives": (_names_relatives, "No incident says that relatives were targeted"),
}


def gaps(
    ds: Dataset,
    origin: str | Iterable[str] | None,
    *needed: str,
    years: tuple[int, int] | None = None,
) -> list[str]:
    """What does a question need that the data at hand does not hold, and which years?

    Parameters
    ----------
    ds
        The whole dataset.
    origin
        The state(s) that the question is about; None for all.
    *needed
        Any of "host", "date", "category", "relatives".
    years
        The first and the last year of the question, see `Dataset.covered`. None where it asks for
        no years; a table of yours that ends before the built-in data is named then, too.

    Returns
    -------
    list of str
        Sentences; none where nothing is lacking.

    Raises
    ------
    ParameterError
        For another need or an unknown state.

    Examples
    --------
    >>> import capelib as cape
    >>> ds = cape.load()
    >>> gaps(ds, "TJK", "host", "date"), gaps(ds.where(origin="TUR"), "TJK", "host")[0][:46]
    ([], 'No incident by Tajikistan is in the data: its ')
    >>> gaps(ds, "TJK", "date", years=(2001, 2030))
    ['The years end in 2024, not 2030: the public record was not searched further on.']
    """
    require("need", needed, list(_NEEDS))
    chosen = ds if origin is None else ds.where(origin=origin)
    if chosen.incidents.empty:
        return [_without_incidents(ds, states_meant("state", origin or []))]
    sentences = []
    for need in needed:
        holds, sentence = _NEEDS[need]
        if not holds(chosen):
            sentences.append(
                f"{sentence} in {ds.info.label}: whatever needs one stays empty below."
            )
    return sentences + _years_left_out(chosen, ds, years)


def _years_left_out(chosen: Dataset, ds: Dataset, years: tuple[int, int] | None) -> list[str]:
    """Sentences on the years of a question that the data does not look at.

    chosen: the part that the question is about.
    """
    if ds.incidents["year"].isna().all():
        return []
    origins = chosen.incidents["origin"].unique()
    start, end = ds.covered_from(origins), ds.covered_until(origins)
    of_user = ds.info.label != "public record"
    label = ds.info.label if of_user else f"the {ds.info.label}"
    if years is None:
        built_in = codebook()["dataset"]["covered_until"]["other"]
        early = end < built_in
        return [f"{ds.info.heading} ends in {end}: nothing below is of later years."] * early
    first, last = years
    if end < first or last < start:
        return [
            f"No year of {in_words(years)} is covered: {label} covers {in_words((start, end))}; "
            f"choose years of it with `-p first_year={start} -p last_year={end}`."
        ]
    sentences = []
    if first < start:
        why = "has no earlier incident" if of_user else "was not searched further back"
        sentences.append(f"The years start in {start}, not {first}: {label} {why}.")
    if end < last:
        why = "has no later incident" if of_user else "was not searched further on"
        sentences.append(f"The years end in {end}, not {last}: {label} {why}.")
    if of_user and last < end:
        sentences.append(
            f"The years end in {last}, but {label} goes on to {end}: take them in with "
            f"`-p last_year={end}`."
        )
    return sentences


def chosen_break(break_year: int, usual: int, covered: tuple[int, int]) -> int:
    """Which year is tested as the first after a break?

    Parameters
    ----------
    break_year
        As the reader chose it; 0 for none.
    usual
        The year of the notebook's question. It is taken without a choice, also where it cannot be
        tested: the answer says so then.
    covered
        First and last year of the series, from `Dataset.covered`.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        Where a chosen year leaves too few years on a side, with those that can be tested.

    Examples
    --------
    >>> chosen_break(0, 2015, (2001, 2016)), chosen_break(2010, 2015, (2001, 2016))
    (2015, 2010)
    """
    if not break_year:
        return usual
    if wrong := _divides_badly("break_year", break_year, covered, break_margin(), break_margin()):
        raise ParameterError(f"in {in_words(covered)}, the years that the data covers, {wrong[0]}")
    return break_year


def _without_incidents(ds: Dataset, asked: Sequence[str]) -> str:
    """The sentence for states without any incident: which states the data holds."""
    every = pursuers("all")
    if set(asked) == set(every.codes):
        wanted = every.words
    else:
        wanted = " or ".join(states()[state] for state in asked) or "any state"
    counts = ds.incidents["origin"].value_counts()
    if counts.empty:
        return f"No incident by {wanted} is in the data: its pursuing states are none."
    listed = ", ".join(
        f"{states()[state]} ({count})" for state, count in counts.head(MOST_STATES).items()
    )
    more = " ..." if len(counts) > MOST_STATES else ""
    return (
        f"No incident by {wanted} is in the data: its pursuing states are {listed}{more}; "
        f"choose one with `-p origin={counts.index[0]}`."
    )


def check_parameters(**values: Any) -> dict[str, Any]:
    """Are these values of notebook parameters allowed, and which codes do they mean?

    Parameters
    ----------
    **values
        By name: dataset, edition, vintage, origin, exclude_host, exclude_origin, first_year,
        last_year, break_year, split_year, split_years, unit, measure, model, regime_measure,
        cutoff, stages, doubtful, out. Others are not looked at.

    Returns
    -------
    dict
        The same values by name, words as the codes that they mean: UZB for Uzbekistan.

    Raises
    ------
    ParameterError
        With everything that is wrong in one line, each with the nearest allowed value.

    Examples
    --------
    >>> check_parameters(origin="Uzbekistan", exclude_host="Russia+tur", measure="kidnapping")
    {'origin': 'UZB', 'exclude_host': 'RUS+TUR', 'measure': 'rendition'}
    >>> check_parameters(origin="TAJ")
    Traceback (most recent call last):
    capelib.errors.ParameterError: unknown state 'TAJ': did you mean TJK, Tajikistan?
    """
    wrong: list[str] = []
    meant = dict(values)
    for name, value in values.items():
        try:
            if name in _CODES:
                meant[name] = _CODES[name](value)
            elif name in _CHECKS:
                _CHECKS[name](value)
        except ParameterError as error:
            wrong.append(str(error))
    if not wrong:
        wrong = _wrong_together(meant)
    if wrong:
        raise ParameterError("; ".join(wrong))
    if "cutoff" in meant:
        counted = regimes.at_or_below(meant.get("regime_measure", "fiw"), meant["cutoff"])
        meant["cutoff"] = counted[-1]
    return meant


def _break_year(value: Any) -> None:
    if value != 0 or isinstance(value, bool):
        _year("break_year")(value)


def _year(name: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not FIRST <= value <= LAST:
            raise ParameterError(f"{name} must be a year from {FIRST} to {LAST}, not {value!r}")

    return check


def _split_years(value: Any) -> None:
    years = value if isinstance(value, list) else []
    whole = all(type(year) is int for year in years)
    if not years or not whole or years != sorted(set(years)):
        raise ParameterError(
            f"split_years must be a list of years that rise, such as [2011, 2016], not {value!r}"
        )
    for year in years:
        _year("split_years")(year)


def _text(name: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not isinstance(value, str):
            raise ParameterError(f"{name} must be text, not {value!r}")

    return check


def _dataset(value: Any) -> None:
    _text("dataset")(value)
    if "://" in value:  # the file at an address can change between two runs
        raise ParameterError(f"a run rests on a file: download {value} and give its path")
    if value != PUBLIC_RECORD and not Path(value).expanduser().exists():
        raise ParameterError(
            f'no dataset {value!r}: give "{PUBLIC_RECORD}" '
            "or the path of a table or folder that exists"
        )


def _stages(value: Any) -> None:
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise ParameterError(
            f"stages must be a list of different stages such as [2, 3], not {value!r}"
        )
    named = [str(stage) if type(stage) is int else repr(stage) for stage in value]
    require("stage", named, codes("stage"))


def _flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise ParameterError(f"doubtful must be True or False, not {value!r}")


def _one_state(value: Any) -> str:
    return states_meant("state", [value])[0]


def _left_out(name: str, value: Any) -> str:
    _text(name)(value)
    return "+".join(states_meant("state", value.split("+"))) if value else ""


def _spelt(what: str, value: Any) -> str:
    allowed = codes(what)
    code = spelt(value, allowed) if isinstance(value, str) else value
    return require(what, [code], allowed)[0]


# Parameters that name codes: what is typed, as the code that it means.
_CODES: dict[str, Callable[[Any], str]] = {
    "edition": lambda value: _spelt("edition", value),
    "vintage": lambda value: value and _spelt("vintage", value),
    "origin": lambda value: value if value == EVERY else _one_state(value),
    "exclude_host": lambda value: _left_out("exclude_host", value),
    "exclude_origin": lambda value: _left_out("exclude_origin", value),
    "unit": lambda value: _spelt("unit", value),
    "measure": lambda value: (
        value if value == EVERY else codes_meant("measure", [value], "measure")[0]
    ),
    "model": lambda value: _spelt("model", value),
    "regime_measure": lambda value: codes_meant("regime measure", [value], "regime_measure")[0],
}
_CHECKS: dict[str, Callable[[Any], object]] = {
    "dataset": _dataset,
    "first_year": _year("first_year"),
    "last_year": _year("last_year"),
    "break_year": _break_year,
    "split_year": _year("split_year"),
    "split_years": _split_years,
    "stages": _stages,
    "doubtful": _flag,
    "out": _text("out"),
}


def _wrong_together(values: dict[str, Any]) -> list[str]:
    """What is wrong with values that are allowed alone."""
    wrong = []
    if values.get("vintage") and values.get("dataset") == PUBLIC_RECORD:
        wrong.append(
            "the built-in public record is not a published release: "
            "give a vintage with a dataset of yours"
        )
    edition = values.get("edition", current())
    if edition != current() and values.get("dataset", PUBLIC_RECORD) != PUBLIC_RECORD:
        wrong.append(of_public_record(edition))
    first = values.get("first_year")
    last = values.get("last_year")
    if first is not None and last is not None:
        wrong += _wrong_period(first, last, values)
    if "cutoff" in values:
        try:
            regimes.at_or_below(values.get("regime_measure", "fiw"), values["cutoff"])
        except ParameterError as error:
            wrong.append(str(error))
    return wrong


def _wrong_period(first: int, last: int, values: dict[str, Any]) -> list[str]:
    """What is wrong with a period and the year that divides it."""
    if first >= last:
        return [f"first_year {first} must lie before last_year {last}"]
    wrong = []
    # The years that are needed before the year, and from it on.
    for name, before, after in (
        ("break_year", break_margin(), break_margin()),
        ("split_year", 1, 1),
    ):
        year = values.get(name)
        if year:  # 0 leaves the choice to the notebook
            wrong += _divides_badly(name, year, (first, last), before, after)
    return wrong


def _divides_badly(
    name: str, year: int, period: tuple[int, int], before: int, after: int
) -> list[str]:
    """What is wrong with a year that needs so many years of a period before it and from it on."""
    earliest = period[0] + before
    latest = period[1] - after + 1
    if earliest <= year <= latest:
        return []
    choose = f"choose {earliest} to {latest}" if earliest <= latest else "widen the period"
    return [f"{name} {year} must leave {before} year(s) before it and {after} from it on: {choose}"]
