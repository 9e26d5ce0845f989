"""`load()` and the `Dataset` that it gives: incidents, exiles and sources, clean, checked, with nothing lost silently."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from capelib.dataset import dates
from capelib.dataset.codebook import codebook, codes, columns, require, stage_of, unknown
from capelib.dataset.tables import PROBLEM_COLUMNS, problems_of, read_text, states, typed
from capelib.errors import DataError, ParameterError
from capelib.paths import room

PUBLIC_RECORD = "public-record"
CENTRAL_ASIA = ("KAZ", "KGZ", "TJK", "TKM", "UZB")
NEEDED = ("exile_id", "origin", "host", "date", "measure")


@dataclass(frozen=True)
class Info:
    """What a dataset is: shown on each figure and in each verdict that rests on it."""

    name: str
    label: str  # "public record", "your file incidents.csv" or "SYNTHETIC"
    title: str
    edition: str
    licence: str
    sha256: str
    rows: dict[str, int]
    synthetic: bool = False
    filters: tuple[str, ...] = ()

    @property
    def source_line(self) -> str:
        """Dataset, edition and checksum, as figures print them."""
        edition = f", edition {self.edition}" if self.edition else ""
        return f"{self.label}: {self.name}{edition}, sha256 {self.sha256[:12]}"


@dataclass(frozen=True, repr=False)
class Dataset:
    """Incidents against exiles, the exiles, and the sources, as tidy frames.

    incidents: one row a measure against one exile at one time. Columns of the codebook (`cape codebook incidents`) and
        date_start, date_end (datetime64), precision (str: day, month, year, other), year (Int64, missing where not
        stated or not one year), stage (ordered categorical 1 < 2 < 3). relatives_targeted and interpol are nullable
        booleans: missing is "not reported", never no. doubtful is True or False.
    exiles: exile_id, origin, category (categorical), is_group (bool).
    sources: source_id, kind (categorical), publisher, url.
    problems: what cleaning changed or set aside: file, row, column, value, problem, remedy, action.
    set_aside: the rows that could not be used, as they stood, with file, row and why.
    info: name, label, edition, licence, sha256, rows, synthetic, filters.
    """

    incidents: pd.DataFrame
    exiles: pd.DataFrame
    sources: pd.DataFrame
    problems: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PROBLEM_COLUMNS))
    set_aside: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["file", "row", "why"]))
    info: Info = field(default_factory=lambda: Info("", "", "", "", "", "", {}))

    def __repr__(self) -> str:
        span = self.incidents["year"].dropna()
        years = f", {span.min()}-{span.max()}" if len(span) else ""
        filters = f"; only {', '.join(self.info.filters)}" if self.info.filters else ""
        held = f"{len(self.incidents)} incidents against {len(self.exiles)} exiles"
        return f"<Dataset {self.info.name} ({self.info.label}): {held}{years}{filters}>"

    def where(
        self,
        *,
        origin: str | Iterable[str] | None = None,
        host: str | Iterable[str] | None = None,
        years: tuple[int, int] | None = None,
        measure: str | Iterable[str] | None = None,
        stage: int | Iterable[int] | None = None,
        category: str | Iterable[str] | None = None,
        source_kind: str | Iterable[str] | None = None,
        doubtful: bool | None = None,
    ) -> "Dataset":
        """The part of the dataset in which all given conditions hold, as a Dataset.

        origin, host: state code(s). years: first and last year, both included; incidents without a year are left out.
        measure, category, source_kind: code(s) of the codebook. stage: 1, 2, 3 or several. doubtful: False leaves the
        doubtful cases out, True keeps only them. Exiles and sources without an incident left are left out.
        Raises ParameterError, naming the nearest allowed value.

        >>> import capelib as cape
        >>> ds = cape.load().where(origin="TJK", years=(2001, 2018), stage=3)
        >>> sorted(ds.incidents["measure"].unique())[:2]
        ['assassination', 'assassination_attempt']
        """
        rows, keep, said = self.incidents, pd.Series(True, index=self.incidents.index), list(self.info.filters)
        for column, wanted, allowed in (("origin", origin, states()), ("host", host, states()), ("measure", measure, codes("measure"))):
            if wanted is not None:
                values = require(f"state for {column}" if column != "measure" else column, wanted, allowed)
                keep &= rows[column].isin(values)
                said.append(f"{column} {'/'.join(values)}")
        if years is not None:
            first, last = _years(years)
            keep &= rows["year"].between(first, last).fillna(False).astype(bool)
            said.append(f"years {first}-{last}")
        if stage is not None:
            stages = [stage] if isinstance(stage, int) else list(stage)
            require("stage", [str(value) for value in stages], codes("stage"))
            keep &= rows["stage"].isin(stages)
            said.append(f"stages {'/'.join(str(value) for value in stages)}")
        if category is not None:
            values = require("category", category, codes("category"))
            keep &= rows["exile_id"].isin(self.exiles.loc[self.exiles["category"].isin(values), "exile_id"])
            said.append(f"category {'/'.join(values)}")
        if source_kind is not None:
            values = require("source kind", source_kind, codes("kind"))
            keep &= rows["source_id"].isin(self.sources.loc[self.sources["kind"].isin(values), "source_id"])
            said.append(f"sources of kind {'/'.join(values)}")
        if doubtful is not None:
            keep &= rows["doubtful"] == doubtful
            said.append("doubtful cases only" if doubtful else "without doubtful cases")
        return self._keep(keep, tuple(said))

    def _keep(self, keep: pd.Series, filters: tuple[str, ...]) -> "Dataset":
        incidents = self.incidents[keep].reset_index(drop=True)
        exiles = self.exiles[self.exiles["exile_id"].isin(incidents["exile_id"])].reset_index(drop=True)
        sources = self.sources[self.sources["source_id"].isin(incidents["source_id"])].reset_index(drop=True)
        rows = {"incidents": len(incidents), "exiles": len(exiles), "sources": len(sources)}
        return replace(self, incidents=incidents, exiles=exiles, sources=sources, info=replace(self.info, rows=rows, filters=filters))

    def covered_from(self, origin: str | Iterable[str]) -> int:
        """From which year on does the collection look for incidents of these states? The latest of their first years.

        For the public record this is known (the five Central Asian states from 1990, the comparison sample from 2014); for
        another table it is the first year that occurs in it.

        >>> import capelib as cape
        >>> cape.load().covered_from("TJK"), cape.load().covered_from(["TJK", "TUR"])
        (1990, 2014)
        """
        if self.info.label != "public record":
            return int(self.incidents["year"].min()) if self.incidents["year"].notna().any() else 1900
        known = codebook()["dataset"]["covered_from"]
        return max(known.get(state, known["other"]) for state in require("state", origin, states()))

    def joined(self) -> pd.DataFrame:
        """The incidents with the exile's `category` and `is_group` and the source's `kind` (as `source_kind`) joined on.

        >>> import capelib as cape
        >>> ds = cape.load()
        >>> len(ds.joined()) == len(ds.incidents)
        True
        """
        kinds = self.sources[["source_id", "kind"]].rename(columns={"kind": "source_kind"})
        people = self.exiles[["exile_id", "category", "is_group"]]
        return self.incidents.merge(people, how="left", on="exile_id").merge(kinds, how="left", on="source_id")


def _years(years: tuple[int, int]) -> tuple[int, int]:
    try:
        first, last = (int(value) for value in years)
    except (TypeError, ValueError):
        raise ParameterError(f"years must be two whole numbers such as (2001, 2018), not {years!r}") from None
    if not 1900 <= first <= last <= 2100:
        raise ParameterError(f"years must run from an earlier to a later year between 1900 and 2100, not {first} to {last}")
    return first, last


def load(source: str | Path = PUBLIC_RECORD) -> Dataset:
    """Incidents, exiles and sources, clean and checked, in one line.

    source: "public-record" (the built-in data), a CSV file with at least the columns exile_id, origin, host, date and
        measure of the codebook, or a folder that holds incidents.csv and, if there, exiles.csv and sources.csv.
    Returns a Dataset. Rows that the codebook does not allow are in `.set_aside`, the reasons in `.problems`; columns
    that the codebook does not know (names of persons first of all) are dropped and listed in `.problems`.
    Raises DataError when the file is missing, is no table, lacks a needed column or has no usable row.

    >>> import capelib as cape
    >>> cape.load().info.rows
    {'incidents': 1074, 'exiles': 694, 'sources': 609}
    """
    if str(source) == PUBLIC_RECORD:
        return _assemble(room("data"), codebook()["dataset"], "public record")
    path = Path(source).expanduser()
    if not path.exists():
        hint = unknown("dataset", str(source), [PUBLIC_RECORD]) if len(path.parts) == 1 and not path.suffix else f"no file or folder {path}"
        raise DataError(f'{hint}: give "{PUBLIC_RECORD}" or the path of a CSV file or a folder with incidents.csv')
    own = {"name": path.name, "title": path.name, "edition": "", "licence": "as its owner says"}
    return _assemble(path, own, f"your file {path.name}")


def _assemble(path: Path, about: dict[str, str], label: str) -> Dataset:
    folder = path.is_dir()
    files = {"incidents": path / "incidents.csv" if folder else path}
    if folder:
        files |= {name: path / f"{name}.csv" for name in ("exiles", "sources") if (path / f"{name}.csv").exists()}
    report = _Report()
    text = {name: read_text(file) for name, file in files.items()}
    missing = [name for name in NEEDED if name not in text["incidents"]]
    if missing:
        raise DataError(f"{files['incidents']} lacks the column(s) {', '.join(missing)}: see `cape codebook incidents`")
    if "exiles" not in text:
        text["exiles"] = _exiles_of(text["incidents"])
    if "incident_id" not in text["incidents"]:
        text["incidents"]["incident_id"] = [f"I{number:04d}" for number in range(1, len(text["incidents"]) + 1)]
    if "sources" not in text:
        given = text["incidents"]["source_id"] if "source_id" in text["incidents"] else pd.Series(dtype="str")
        text["sources"] = pd.DataFrame({"source_id": given.dropna().unique()}, dtype="str")
        text["incidents"]["source_id"] = given.reindex(text["incidents"].index).fillna("S0000")
    withdrawn = set(read_text(room("data") / codebook()["table"]["withdrawn"]["path"])["id"])
    clean = {}
    for name in ("exiles", "sources", "incidents"):
        file = files.get(name, files["incidents"]).name
        clean[name] = typed(report.clean(text[name], name, file, withdrawn, listed=name in files), name)
    incidents = report.orphans(clean["incidents"], clean["exiles"], "exile_id", text["incidents"], files["incidents"].name)
    if "sources" in files:
        incidents = report.orphans(incidents, clean["sources"], "source_id", text["incidents"], files["incidents"].name)
    if incidents.empty:
        first = report.problems()
        why = (
            f"; the first problem is in row {first['row'].iloc[0]}, column {first['column'].iloc[0]}: {first['problem'].iloc[0]}"
            if len(first)
            else ""
        )
        raise DataError(f"{files['incidents']} has no usable row{why}")
    exiles = clean["exiles"].reset_index(drop=True)
    exiles["is_group"] = exiles["is_group"].fillna(False).astype(bool)
    rows = {"incidents": len(incidents), "exiles": len(exiles), "sources": len(clean["sources"])}
    synthetic = "synthetic" in about or (folder and (path / "SYNTHETIC").exists())
    info = Info(
        about["name"],
        "SYNTHETIC" if synthetic else label,
        about["title"],
        about["edition"],
        about["licence"],
        _sha256(files),
        rows,
        synthetic,
    )
    return Dataset(_derived(incidents), exiles, clean["sources"].reset_index(drop=True), report.problems(), report.set_aside(), info)


def _derived(incidents: pd.DataFrame) -> pd.DataFrame:
    """The incidents with the columns that follow from others: dates, year and stage."""
    incidents = incidents.reset_index(drop=True)
    when = dates.bounds(incidents["date"])
    stages = incidents["measure"].astype("str").map(stage_of())
    return incidents.assign(
        doubtful=incidents["doubtful"].fillna(False).astype(bool),
        date_start=when["date_start"],
        date_end=when["date_end"],
        precision=when["precision"],
        year=dates.year(when["date_start"], when["date_end"]),
        stage=stages.astype(pd.CategoricalDtype([1, 2, 3], ordered=True)),
    )


def _exiles_of(incidents: pd.DataFrame) -> pd.DataFrame:
    """The exiles of a single table: the first row of each key; without a category it is unknown."""
    first = incidents.drop_duplicates("exile_id")
    category = first["category"] if "category" in first else pd.Series("unknown", index=first.index)
    people = pd.DataFrame({"exile_id": first["exile_id"], "origin": first["origin"], "category": category.fillna("unknown")})
    people["is_group"] = first.get("is_group")
    return people[people["exile_id"].notna()].reset_index(drop=True)


def _sha256(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + files[name].read_bytes())
    return digest.hexdigest()


class _Report:
    """Collects what cleaning does, so that every row read ends up clean or set aside."""

    def __init__(self) -> None:
        self._problems: list[pd.DataFrame] = []
        self._aside: list[pd.DataFrame] = []

    def clean(self, raw: pd.DataFrame, table: str, file: str, withdrawn: set[str], listed: bool) -> pd.DataFrame:
        known = list(columns(table))
        extra = [name for name in raw.columns if name not in known and not (table == "incidents" and name in ("category", "is_group"))]
        if extra and listed:
            note = "not in the codebook: dropped at reading (names of persons never enter)"
            self._problems.append(_rows(file, 1, extra, note, "rename it if it is a column of the codebook", "dropped"))
        raw = raw[[name for name in known if name in raw]]
        gone = raw[[name for name in ("exile_id", "incident_id", "source_id") if name in raw]].isin(withdrawn).any(axis=1)
        if gone.any():
            self._problems.append(_rows(file, raw.index[gone] + 2, "", "withdrawn on request", "see data/withdrawn.csv", "withdrawn"))
        raw = raw[~gone]
        found = problems_of(raw, table, file)
        self._problems.append(found) if listed else None
        bad = raw.index.isin(found["row"].astype(int) - 2)
        self._put_aside(raw[bad], file, found, listed)
        return raw[~bad]

    def orphans(self, incidents: pd.DataFrame, other: pd.DataFrame, key: str, raw: pd.DataFrame, file: str) -> pd.DataFrame:
        lost = ~incidents[key].isin(other[key])
        if lost.any():
            found = _rows(
                file,
                incidents.index[lost] + 2,
                key,
                f"points to no usable row of the table with {key}",
                "add or mend that row",
                "set aside",
            )
            self._problems.append(found)
            self._put_aside(raw.loc[incidents.index[lost], [name for name in columns("incidents") if name in raw]], file, found, True)
        return incidents[~lost]

    def _put_aside(self, rows: pd.DataFrame, file: str, found: pd.DataFrame, listed: bool) -> None:
        if len(rows) and listed:
            why = (found["column"] + ": " + found["problem"]).groupby(found["row"]).agg("; ".join)
            numbers = pd.Series(rows.index + 2, index=rows.index)
            self._aside.append(rows.assign(file=file, row=numbers, why=numbers.map(why)))

    def problems(self) -> pd.DataFrame:
        some = [frame for frame in self._problems if len(frame)]
        return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=PROBLEM_COLUMNS)

    def set_aside(self) -> pd.DataFrame:
        if not self._aside:
            return pd.DataFrame(columns=["file", "row", "why"])
        frame = pd.concat(self._aside, ignore_index=True)
        return frame[["file", "row", "why", *(name for name in frame if name not in ("file", "row", "why"))]]


def _rows(file: str, row: object, column: object, problem: str, remedy: str, action: str) -> pd.DataFrame:
    lines = {"file": file, "row": row, "column": column, "value": "(not shown)", "problem": problem, "remedy": remedy, "action": action}
    return pd.DataFrame(lines)
