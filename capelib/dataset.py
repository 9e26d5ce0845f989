"""The `Dataset` that `cape.load()` gives, and the part of it that a question needs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from inspect import signature
from itertools import zip_longest
from numbers import Integral
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from capelib.clean.changes import ChangeLog
from capelib.display import CITE, card
from capelib.errors import ParameterError
from capelib.meaning.arguments import codes_meant, states_meant
from capelib.meaning.pursuers import pursuers
from capelib.vocabulary.codebook import codebook
from capelib.vocabulary.tables import NO_SOURCE

__all__ = [
    "CENTRAL_ASIA",
    "NO_SOURCE",
    "PLACE",
    "Dataset",
    "Info",
    "require_dataset",
    "takes_dataset",
]

P = ParamSpec("P")
R = TypeVar("R")
CENTRAL_ASIA = pursuers("all").codes
PLACE = ("file", "sheet", "row")  # where an incident of a user's table comes from
FIRST_YEAR, LAST_YEAR = 1900, 2100  # of what a Dataset may speak
_ONLY_JOINED = ("category", "is_group", "source_kind")  # columns of `joined` that incidents lack
CAVEAT = "A collection of what was reported, no census and no random sample: counts are no rates."
_SHOWN = ("incident_id", "exile_id", "origin", "host", "date", "measure")  # a notebook's first rows
NOT_DOUBTFUL = "without doubtful cases"
WITHOUT = "without "  # begins the filter of what is left out
_SPELT_ARGUMENTS = ("unit", "model")  # of the functions that take a Dataset
# Arguments of `where` that take codes: what an error calls each, and the label of its filter.
_CODED = {
    "origin": ("state for origin", "origin"),
    "host": ("state for host", "host"),
    "measure": ("measure", "measure"),
    "stage": ("stage", "stages"),
    "category": ("category", "category"),
    "source_kind": ("source kind", "sources of kind"),
}


@dataclass(frozen=True)
class Info:
    """What is this dataset? Shown on each figure and in each verdict that rests on it.

    Attributes
    ----------
    name, title, edition, licence
        As the owner gives them; edition is "" where none is stated.
    label
        "public record", "your file incidents.csv" or "SYNTHETIC".
    sha256
        Checksum of the files.
    rows
        Number of rows of incidents, exiles and sources.
    synthetic
        Is it drawn by chance?
    filters
        The conditions of `Dataset.where`, in words.
    vintage
        The release that a user's file is declared to be, such as "fh-2022".
    """

    name: str
    label: str
    title: str
    edition: str
    licence: str
    sha256: str
    rows: dict[str, int]
    synthetic: bool = False
    filters: tuple[str, ...] = ()
    vintage: str = ""

    @property
    def left_out(self) -> str:
        """What `Dataset.where` was asked to leave out, as a sentence; "" where nothing was."""
        parts = [
            filter_.removeprefix(WITHOUT)
            for filter_ in self.filters
            if filter_.startswith(WITHOUT) and filter_ != NOT_DOUBTFUL
        ]
        return f"Left out: {'; '.join(parts)}." if parts else ""

    @property
    def heading(self) -> str:
        """The label as a sentence begins with it."""
        return self.label[:1].upper() + self.label[1:]

    @property
    def label_with_edition(self) -> str:
        """The label, of the public record with its edition: "public record, edition 2026-12"."""
        return f"{self.label}, edition {self.edition}" if self.edition else self.label

    @property
    def source_line(self) -> str:
        """Dataset, edition and checksum, as figures print them."""
        edition = ""
        if self.edition:
            edition = f", edition {self.edition}"
        elif self.vintage:
            edition = f", declared to be {self.vintage}"
        return f"{self.label}: {self.name}{edition}, sha256 {self.sha256[:12]}"


@dataclass(frozen=True, repr=False)
class Dataset:
    """Incidents against exiles, the exiles, and the sources, as tidy frames.

    Attributes
    ----------
    incidents
        One row a measure against one exile at one time. Columns of the codebook (`cape codebook
        incidents`) and date_start, date_end (datetime64), precision (str: day, month, year,
        other), year (Int64, missing where not stated or not one year), stage (ordered categorical
        1 < 2 < 3). relatives_targeted and interpol are nullable booleans: missing is "not
        reported", never no. doubtful is True or False.
    exiles
        exile_id, origin, category (categorical), is_group (bool).
    sources
        source_id, kind (categorical), publisher, url. The public record has more since edition
        2026-12: published (str, a date: no report tells of what came after it), name_in_address,
        and in each of the three tables `added`, the edition that brought the row.
    set_aside
        The rows that could not be used, with file, row and why. A cell that is not understood as
        a whole may hold a name, and is not shown.
    info
        Name, label, edition, licence, sha256, rows, synthetic, filters.
    rows
        Of a table of yours, the file, sheet and row that each incident comes from; incidents of
        one row are linked by it.
    names
        Names of persons by exile_id, only with `keep_names=True`; never written anywhere.
    tables
        Of a table of yours, what was read: file, sheet, header, rows, and how headers were
        understood.
    log
        Everything that was made of cells, as `changes` shows it.
    """

    incidents: pd.DataFrame
    exiles: pd.DataFrame
    sources: pd.DataFrame
    info: Info
    set_aside: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["file", "row", "why"])
    )
    rows: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PLACE)))
    names: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    tables: tuple = ()
    log: ChangeLog = field(default_factory=ChangeLog)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Everything that was made of the cells of your table, a line each.

        Columns: file, sheet, row, column, value, made, rule, severity (info, guess, dropped, set
        aside, withdrawn), certainty (0 to 1), remedy. Empty for the built-in data.
        """
        return self.log.frame()

    @cached_property
    def problems(self) -> pd.DataFrame:
        """What cleaning dropped, set aside or withdrew.

        Columns: file, row, column, value, problem, remedy, action.
        """
        return self.log.problems()

    def _copied(self) -> "Dataset":
        """With frames of its own: whoever changes them changes nobody else's."""
        names = ("incidents", "exiles", "sources", "set_aside")
        frames = {name: getattr(self, name).copy() for name in names}
        return replace(self, info=replace(self.info, rows=dict(self.info.rows)), **frames)

    def __repr__(self) -> str:
        span = self.incidents["year"].dropna()
        years = f", {span.min()}-{span.max()}" if len(span) else ""
        filters = f"; only {', '.join(self.info.filters)}" if self.info.filters else ""
        size = f"{len(self.incidents)} incidents against {len(self.exiles)} exiles"
        label = self.info.label_with_edition
        return f"<Dataset {self.info.name} ({label}): {size}{years}{filters}>"

    def _repr_html_(self) -> str:
        aside = len(self.set_aside)
        rows = {
            "what": self.info.title,
            "whose": self.info.label_with_edition,
            "rows": ", ".join(f"{count:,} {name}" for name, count in self.info.rows.items()),
            "only": ", ".join(self.info.filters),
            "set aside": f"{aside:,} rows, see set_aside" if aside else "",
            "caveat": "SYNTHETIC: drawn by chance." if self.info.synthetic else CAVEAT,
            "licence": self.info.licence,
            "cite": f"{self.info.source_line}; {CITE}",
        }
        first = self.incidents[list(_SHOWN)].head().to_html(index=False, border=0, justify="left")
        return card(rows, f"<details><summary>first incidents</summary>{first}</details>")

    def where(
        self,
        *,
        origin: str | Iterable[str] | None = None,
        host: str | Iterable[str] | None = None,
        years: int | Iterable[int] | None = None,
        measure: str | Iterable[str] | None = None,
        stage: int | Iterable[int] | None = None,
        category: str | Iterable[str] | None = None,
        source_kind: str | Iterable[str] | None = None,
        doubtful: bool | None = None,
        origin_not: str | Iterable[str] | None = None,
        host_not: str | Iterable[str] | None = None,
        measure_not: str | Iterable[str] | None = None,
        stage_not: int | Iterable[int] | None = None,
        category_not: str | Iterable[str] | None = None,
        source_kind_not: str | Iterable[str] | None = None,
    ) -> "Dataset":
        """The part of the dataset in which all given conditions hold.

        Exiles and sources without an incident left are left out.

        Parameters
        ----------
        origin, host
            One or several states: codes or names, as tables are read.
        years
            First and last year, both included; or one year, a range, or a list of other than two
            years, which are the years themselves. Incidents without a year are left out.
        measure, category, source_kind
            One or several codes of the codebook, their labels, or words for them.
        stage
            1, 2, 3 or several of them.
        doubtful
            False leaves the doubtful cases out, True keeps only them.
        origin_not, host_not, measure_not, stage_not, category_not, source_kind_not
            What is left out; incidents of which it is not known stay. "" leaves nothing out, and
            several may stand in one text: "RUS+TUR".

        Returns
        -------
        Dataset

        Raises
        ------
        ParameterError
            A value is not allowed; the nearest allowed one is named.

        Examples
        --------
        >>> import capelib as cape
        >>> ds = cape.load().where(origin="TJK", years=(2001, 2018), stage=3)
        >>> sorted(ds.incidents["measure"].unique())[:2]
        ['assassination', 'assassination_attempt']
        >>> others = cape.load().where(origin="Tajikistan", host_not="Russia", years=2015)
        >>> others.info.filters
        ('origin TJK', 'years 2015-2015', 'without host RUS')
        """
        conditions = {"origin": origin, "host": host, "measure": measure, "years": years}
        conditions |= {"stage": stage, "category": category, "source_kind": source_kind}
        conditions |= {"doubtful": doubtful}
        left_out = {"origin": origin_not, "host": host_not, "measure": measure_not}
        left_out |= {"stage": stage_not, "category": category_not, "source_kind": source_kind_not}
        keep, filters = np.ones(len(self.incidents), dtype=bool), list(self.info.filters)
        for name, wanted in conditions.items():  # in the order in which figures print them
            if wanted is not None:
                rows, words = self._matching(name, wanted)
                keep &= rows.to_numpy(dtype=bool)
                filters.append(words)
        for name, unwanted in left_out.items():
            values = unwanted.split("+") if isinstance(unwanted, str) else unwanted
            if values is not None and unwanted != "":
                rows, words = self._matching(name, values)
                keep &= ~rows.to_numpy(dtype=bool)
                filters.append(f"{WITHOUT}{words}")
        if len(filters) == len(self.info.filters):
            return self._copied()
        return self._keep(keep, tuple(filters))

    def _matching(self, name: str, wanted: Any) -> tuple[pd.Series, str]:
        """The incidents for which one condition of `where` holds, and the condition in words."""
        if name == "years":
            years, words = _years(wanted)
            return self.incidents["year"].isin(years).fillna(False), words
        if name == "doubtful":
            if not pd.api.types.is_bool(wanted):
                raise ParameterError(f"doubtful must be True, False or None, not {wanted!r}")
            words = "doubtful cases only" if wanted else NOT_DOUBTFUL
            return self.incidents["doubtful"] == wanted, words
        called, label = _CODED[name]
        if name == "stage":
            several = isinstance(wanted, Iterable) and not isinstance(wanted, str)
            wanted = [str(value) for value in (wanted if several else [wanted])]
        if name in ("origin", "host"):
            values = states_meant(called, wanted)
        else:
            values = codes_meant(called, wanted, "kind" if name == "source_kind" else name)
        words = f"{label} {'/'.join(values)}"
        if name == "category":
            chosen = self.exiles["category"].isin(values)
            return self.incidents["exile_id"].isin(self.exiles.loc[chosen, "exile_id"]), words
        if name == "source_kind":
            chosen = self.sources["kind"].isin(values)
            return self.incidents["source_id"].isin(self.sources.loc[chosen, "source_id"]), words
        return self.incidents[name].astype("str").isin(values), words

    def _keep(self, keep: np.ndarray, filters: tuple[str, ...]) -> "Dataset":
        """The Dataset with these incidents, and with the exiles and sources that they name."""
        incidents = self.incidents[keep].reset_index(drop=True)
        exiles = self.exiles[self.exiles["exile_id"].isin(incidents["exile_id"])]
        sources = self.sources[self.sources["source_id"].isin(incidents["source_id"])]
        counts = {"incidents": len(incidents), "exiles": len(exiles), "sources": len(sources)}
        return replace(
            self,
            incidents=incidents,
            exiles=exiles.reset_index(drop=True),
            sources=sources.reset_index(drop=True),
            rows=self.rows[keep].reset_index(drop=True) if len(self.rows) else self.rows,
            names=self.names[self.names.index.isin(exiles["exile_id"])],
            info=replace(self.info, rows=counts, filters=filters),
        )

    def covered_from(self, origin: str | Iterable[str]) -> int:
        """From which year on does the collection look for incidents of these states?

        For the public record this is known (the five Central Asian states from 1990, the
        comparison sample from 2014), and of several states the latest counts; for another table it
        is the first year that occurs in it, 1900 where there is none.

        See Also
        --------
        covered_until : The last such year.

        Examples
        --------
        >>> import capelib as cape
        >>> cape.load().covered_from("TJK"), cape.load().covered_from(["TJK", "TUR"])
        (1990, 2014)
        """
        if self.info.label != "public record":
            return min(self._years_that_occur(), default=FIRST_YEAR)
        return max(self._searched("covered_from", origin), default=FIRST_YEAR)

    def covered_until(self, origin: str | Iterable[str]) -> int:
        """Until which year does the collection look for incidents of these states?

        For the public record this is known (2024, the last full year; of 2025 it holds single news
        items), and of several states the earliest counts; for another table it is the last year
        that occurs in it, 2100 where there is none. Later years are no years without incidents:
        nobody has looked for them.

        See Also
        --------
        covered_from : The first such year.

        Examples
        --------
        >>> import capelib as cape
        >>> cape.load().covered_until("TJK")
        2024
        """
        if self.info.label != "public record":
            return max(self._years_that_occur(), default=LAST_YEAR)
        return min(self._searched("covered_until", origin), default=LAST_YEAR)

    def _years_that_occur(self) -> list[int]:
        return self.incidents["year"].dropna().astype(int).unique().tolist()

    def _searched(self, limit: str, origin: str | Iterable[str]) -> list[int]:
        """For each state, from or until which year the public record was searched."""
        known = codebook()["dataset"][limit]
        return [known.get(state, known["other"]) for state in states_meant("state", origin)]

    def covered(
        self, origin: str | Iterable[str], first_year: int, last_year: int
    ) -> tuple[int, int]:
        """Which years of a period does the collection look at, for these states?

        Parameters
        ----------
        origin
            One or several codes of states.
        first_year, last_year
            The period asked about, both included.

        Returns
        -------
        tuple of int
            First and last year, both included. Where the period holds no such year, the nearest
            one twice. `cape.gaps` says in words what is left out.

        Examples
        --------
        >>> import capelib as cape
        >>> cape.load().covered("TUR", 2001, 2030)
        (2014, 2024)
        """
        start, end = self.covered_from(origin), self.covered_until(origin)
        first, last = (min(max(year, start), end) for year in (first_year, last_year))
        return first, last

    def joined(self) -> pd.DataFrame:
        """The incidents with the exile's `category` and `is_group` and the source's `source_kind`.

        Examples
        --------
        >>> import capelib as cape
        >>> ds = cape.load()
        >>> len(ds.joined()) == len(ds.incidents)
        True
        """
        kinds = self.sources[["source_id", "kind"]].rename(columns={"kind": "source_kind"})
        people = self.exiles[["exile_id", "category", "is_group"]]
        joined = self.incidents.merge(people, how="left", on="exile_id")
        return joined.merge(kinds, how="left", on="source_id")


def _years(years: Any) -> tuple[list[int], str]:
    """The years that are asked for, and the condition in words."""
    single = isinstance(years, Integral) and not isinstance(years, bool)
    try:
        given = [years] if single else list(years)
        chosen = [int(value) for value in given]
        if isinstance(years, str) or not chosen or [float(value) for value in given] != chosen:
            raise ValueError
    except (TypeError, ValueError):
        example = "a year, a range or list of years, or two whole numbers such as (2001, 2018)"
        raise ParameterError(f"years must be {example}, not {years!r}") from None
    if len(chosen) == 2 and not isinstance(years, range):
        first, last = chosen
        in_order = first <= last
        chosen = list(range(first, last + 1))
    else:
        first, last = min(chosen), max(chosen)
        in_order = True
    if not in_order or not FIRST_YEAR <= first <= last <= LAST_YEAR:
        raise ParameterError(
            "years must run from an earlier to a later year between "
            f"{FIRST_YEAR} and {LAST_YEAR}, not {first} to {last}"
        )
    chosen = sorted(set(chosen))
    if chosen == list(range(first, last + 1)):
        return chosen, f"years {first}-{last}"
    return chosen, f"years {', '.join(map(str, chosen))}"


def takes_dataset(function: Callable[P, R]) -> Callable[P, R]:
    """A function of a frame of incidents that takes a Dataset in its place, as `ds.joined()`.

    Its arguments `unit` and `model` may be words for the codes: "Exiles" for "exile". Where it
    needs what only `ds.joined()` has, and got `ds.incidents`, it says so in one line.

    Examples
    --------
    >>> import capelib as cape
    >>> ds = cape.load()
    >>> takes_dataset(len)(ds) == len(ds.incidents)
    True
    """

    names = list(signature(function).parameters)

    @wraps(function)
    def of_frame(*args: P.args, **kwargs: P.kwargs) -> R:
        placed: list[Any] = [
            _argument(name, value) for name, value in zip_longest(names[: len(args)], args)
        ]
        named: dict[str, Any] = {name: _argument(name, value) for name, value in kwargs.items()}
        try:
            return function(*placed, **named)
        except KeyError as error:
            if error.args and error.args[0] in _ONLY_JOINED:
                raise ParameterError(
                    f"the frame has no column {error.args[0]}: give the Dataset, or ds.joined()"
                ) from None
            raise

    return of_frame


def _argument(name: str | None, value: Any) -> Any:
    if isinstance(value, Dataset):
        return value.joined()
    if name in _SPELT_ARGUMENTS:
        return codes_meant(name, value, name)[0]
    return value


def require_dataset(value: Any) -> Dataset:
    """The Dataset itself, for what prints its source.

    Raises
    ------
    ParameterError
        For a frame.

    Examples
    --------
    >>> import capelib as cape
    >>> require_dataset(cape.load().incidents)
    Traceback (most recent call last):
    capelib.errors.ParameterError: give the Dataset (ds, not ds.incidents): its source is printed
    """
    if isinstance(value, Dataset):
        return value
    raise ParameterError("give the Dataset (ds, not ds.incidents): its source is printed")
