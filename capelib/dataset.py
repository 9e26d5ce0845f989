"""`load()` and the `Dataset` that it gives: incidents, exiles and sources, clean, checked, with nothing lost silently."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from capelib.errors import DataError, ParameterError
from capelib.paths import room
from capelib.vocabulary import edtf
from capelib.vocabulary.codebook import (
    PUBLIC_RECORD,
    codebook,
    codes,
    columns,
    nearest,
    require,
    stage_of,
)
from capelib.vocabulary.pursuers import pursuers
from capelib.vocabulary.tables import (
    CELLS,
    PROBLEM_COLUMNS,
    is_withdrawn,
    problems_of,
    read_text,
    states,
    typed,
    withdrawn,
    withdrawn_keys,
)

if TYPE_CHECKING:
    from capelib.clean.changes import Changes
    from capelib.read.header import Sheet

CENTRAL_ASIA = pursuers("all").codes
NEEDED = {
    "incidents": ("exile_id", "origin", "host", "date", "measure"),
    "exiles": ("exile_id", "origin", "category"),
    "sources": ("source_id",),
}
PERSON = ("category", "is_group")  # columns of exiles.csv that a single table may carry
NO_SOURCE = "S0000"  # stands in a single table where no source is given


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
    vintage: str = ""  # the release that a user's file is declared to be, such as "fh-2022"

    @property
    def heading(self) -> str:
        """The label as a sentence begins with it."""
        return self.label[:1].upper() + self.label[1:]

    @property
    def source_line(self) -> str:
        """Dataset, edition and checksum, as figures print them."""
        edition = (
            f", edition {self.edition}"
            if self.edition
            else f", declared to be {self.vintage}"
            if self.vintage
            else ""
        )
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
    rows: of a table of yours, the file, sheet and row that each incident comes from; incidents of one row are linked by it.
    names: names of persons by exile_id, only with `keep_names=True`; never written anywhere.
    """

    incidents: pd.DataFrame
    exiles: pd.DataFrame
    sources: pd.DataFrame
    problems: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PROBLEM_COLUMNS))
    set_aside: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["file", "row", "why"])
    )
    info: Info = field(default_factory=lambda: Info("", "", "", "", "", "", {}))
    rows: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["file", "sheet", "row"])
    )
    names: pd.Series = field(default_factory=lambda: pd.Series(dtype="str"))
    _changes: "Changes | None" = None

    @property
    def changes(self) -> pd.DataFrame:
        """Everything that was made of the cells of your table, a line each: file, sheet, row, column, value, made, rule, severity
        (info, guess, dropped, set aside), certainty (0 to 1), remedy. Empty for the built-in data."""
        from capelib.clean.changes import Changes

        return (self._changes or Changes()).frame()

    def _copied(self) -> "Dataset":
        """With frames of its own: whoever changes them changes nobody else's."""
        own = {
            name: getattr(self, name).copy()
            for name in ("incidents", "exiles", "sources", "problems", "set_aside")
        }
        return replace(self, info=replace(self.info, rows=dict(self.info.rows)), **own)

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
        rows, keep, said = (
            self.incidents,
            pd.Series(True, index=self.incidents.index),
            list(self.info.filters),
        )
        for column, wanted, allowed in (
            ("origin", origin, states()),
            ("host", host, states()),
            ("measure", measure, codes("measure")),
        ):
            if wanted is not None:
                values = require(
                    f"state for {column}" if column != "measure" else column, wanted, allowed
                )
                keep &= rows[column].isin(values)
                said.append(f"{column} {'/'.join(values)}")
        if years is not None:
            first, last = _years(years)
            keep &= rows["year"].between(first, last).fillna(False).astype(bool)
            said.append(f"years {first}-{last}")
        if stage is not None:
            one = isinstance(stage, str) or not isinstance(stage, Iterable)
            values = require(
                "stage", [str(value) for value in ([stage] if one else stage)], codes("stage")
            )
            keep &= rows["stage"].isin([int(value) for value in values])
            said.append(f"stages {'/'.join(values)}")
        if category is not None:
            values = require("category", category, codes("category"))
            keep &= rows["exile_id"].isin(
                self.exiles.loc[self.exiles["category"].isin(values), "exile_id"]
            )
            said.append(f"category {'/'.join(values)}")
        if source_kind is not None:
            values = require("source kind", source_kind, codes("kind"))
            keep &= rows["source_id"].isin(
                self.sources.loc[self.sources["kind"].isin(values), "source_id"]
            )
            said.append(f"sources of kind {'/'.join(values)}")
        if doubtful is not None:
            if not pd.api.types.is_bool(doubtful):
                raise ParameterError(f"doubtful must be True, False or None, not {doubtful!r}")
            keep &= rows["doubtful"] == doubtful
            said.append("doubtful cases only" if doubtful else "without doubtful cases")
        return self._keep(keep, tuple(said))

    def _keep(self, keep: pd.Series, filters: tuple[str, ...]) -> "Dataset":
        incidents, kept = self.incidents[keep].reset_index(drop=True), keep.to_numpy(dtype=bool)
        exiles = self.exiles[self.exiles["exile_id"].isin(incidents["exile_id"])].reset_index(
            drop=True
        )
        sources = self.sources[self.sources["source_id"].isin(incidents["source_id"])].reset_index(
            drop=True
        )
        rows = {"incidents": len(incidents), "exiles": len(exiles), "sources": len(sources)}
        of_rows = self.rows[kept].reset_index(drop=True) if len(self.rows) else self.rows
        names = (
            self.names[self.names.index.isin(exiles["exile_id"])] if len(self.names) else self.names
        )
        info = replace(self.info, rows=rows, filters=filters)
        return replace(
            self,
            incidents=incidents,
            exiles=exiles,
            sources=sources,
            rows=of_rows,
            names=names,
            info=info,
        )

    def covered_from(self, origin: str | Iterable[str]) -> int:
        """From which year on does the collection look for incidents of these states? The latest of their first years.

        For the public record this is known (the five Central Asian states from 1990, the comparison sample from 2014); for
        another table it is the first year that occurs in it.

        >>> import capelib as cape
        >>> cape.load().covered_from("TJK"), cape.load().covered_from(["TJK", "TUR"])
        (1990, 2014)
        """
        if self.info.label != "public record":
            return (
                int(self.incidents["year"].min()) if self.incidents["year"].notna().any() else 1900
            )
        known = codebook()["dataset"]["covered_from"]
        return max(
            (known.get(state, known["other"]) for state in require("state", origin, states())),
            default=1900,
        )

    def joined(self) -> pd.DataFrame:
        """The incidents with the exile's `category` and `is_group` and the source's `kind` (as `source_kind`) joined on.

        >>> import capelib as cape
        >>> ds = cape.load()
        >>> len(ds.joined()) == len(ds.incidents)
        True
        """
        kinds = self.sources[["source_id", "kind"]].rename(columns={"kind": "source_kind"})
        people = self.exiles[["exile_id", "category", "is_group"]]
        return self.incidents.merge(people, how="left", on="exile_id").merge(
            kinds, how="left", on="source_id"
        )


def _years(years: tuple[int, int]) -> tuple[int, int]:
    try:
        first, last = (int(value) for value in years)
        if [float(value) for value in years] != [first, last]:
            raise ValueError
    except (TypeError, ValueError):
        raise ParameterError(
            f"years must be two whole numbers such as (2001, 2018), not {years!r}"
        ) from None
    if not 1900 <= first <= last <= 2100:
        raise ParameterError(
            f"years must run from an earlier to a later year between 1900 and 2100, not {first} to {last}"
        )
    return first, last


def load(
    source: str | Path | pd.DataFrame = PUBLIC_RECORD,
    vintage: str = "",
    *,
    layout: str = "",
    sheet: str = "",
    keep_names: bool = False,
) -> Dataset:
    """Incidents, exiles and sources, clean and checked, in one line.

    source: "public-record" (the built-in data); a table of yours - CSV, xlsx, ods, Parquet, JSON, an http(s) address or a
        DataFrame -, whose columns are found by a layout; or a folder that holds incidents.csv and, if there, exiles.csv and
        sources.csv in our own form.
    vintage: the published release that the table is, such as "cape-1.0" or "fh-2022" (a vintage of the ledger): its published
        numbers are then recomputed by `cape.findings.check`. "" where it is none.
    layout: "incidents", "events", "exiles-wide" or a layout file of yours; "" finds it by the columns. sheet: of a workbook, by name.
    keep_names: keep the names of persons in `.names`, in memory only: they never reach an output.
    Returns a Dataset. Every change and guess is in `.changes`; rows that could not be used are in `.set_aside`, with why; columns
    that are not the codebook's (names of persons first of all) are dropped and listed.
    Raises DataError when the file is missing, is no table, lacks a needed column or has no usable row.

    >>> import capelib as cape
    >>> cape.load().info.rows
    {'incidents': 1074, 'exiles': 694, 'sources': 609}
    """
    if vintage:
        require("vintage", vintage, list(codes("vintage")))
    if isinstance(source, pd.DataFrame):
        return _own(source, "your table", "DataFrame", vintage, layout, sheet, keep_names)
    if not isinstance(source, str | Path):
        raise ParameterError(
            f'source must be "{PUBLIC_RECORD}", a path, an address or a DataFrame, not {type(source).__name__}'
        )
    if str(source) == PUBLIC_RECORD:
        if vintage:
            raise ParameterError(
                "the built-in public record is not a published release: give a vintage with a file of yours"
            )
        return _built_in(
            *((path, path.stat().st_mtime_ns) for path in sorted(room("data").glob("*.csv")))
        )._copied()
    if isinstance(source, str) and "://" in source:
        name = urlsplit(source).path.rpartition("/")[2] or urlsplit(source).netloc
        return _own(source, f"your file {name}", name, vintage, layout, sheet, keep_names)
    path = Path(source).expanduser()
    if not path.exists():
        near = (
            len(path.parts) == 1
            and not path.suffix
            and nearest(str(source), {PUBLIC_RECORD: PUBLIC_RECORD})
        )
        hint = (
            f'did you mean "{PUBLIC_RECORD}"?'
            if near
            else f'give "{PUBLIC_RECORD}", a table or a folder with incidents.csv'
        )
        raise DataError(f"no file or folder {path}: {hint}")
    if path.is_dir():
        own = {"name": path.name, "title": path.name, "edition": "", "licence": "as its owner says"}
        ds = _assemble(path, own, f"your file {path.name}")
        return replace(ds, info=replace(ds.info, vintage=vintage))
    return _own(path, f"your file {path.name}", path.name, vintage, layout, sheet, keep_names)


@lru_cache(maxsize=1)
def _built_in(*_files: tuple[Path, int]) -> Dataset:
    """The public record as of these files: read once, since a notebook asks for it in several places."""
    return _assemble(room("data"), codebook()["dataset"], "public record")


def _own(
    source: str | Path | pd.DataFrame,
    label: str,
    name: str,
    vintage: str,
    layout: str,
    sheet: str,
    keep_names: bool,
) -> Dataset:
    """A Dataset of somebody's own table."""
    from capelib.clean import clean
    from capelib.read.files import read

    sheets = read(source, sheet)
    digest = _checksum(source, sheets)
    found = clean(sheets, layout, keep_names)
    del sheets
    if found.incidents.empty:
        first = (
            found.changes.summary()
            .query("severity == 'set aside'")
            .sort_values("first", kind="stable")
        )
        why = (
            "; the first problem is in row {first}, column {column}: {rule}, {remedy}".format_map(
                first.iloc[0]
            )
            if len(first)
            else ""
        )
        raise DataError(" ".join(f"{name} has no usable row{why}".split()))
    problems = _problems(found.changes)
    if (problems["action"] == "withdrawn").any():
        digest = hashlib.sha256(" ".join([digest, *sorted(withdrawn_keys())]).encode()).hexdigest()
    exiles = typed(found.exiles, "exiles")
    exiles["is_group"] = exiles["is_group"].fillna(False).astype(bool)
    incidents, sources = (
        _derived(typed(found.incidents, "incidents")),
        typed(found.sources, "sources"),
    )
    rows = {"incidents": len(incidents), "exiles": len(exiles), "sources": len(sources)}
    info = Info(name, label, name, "", "as its owner says", digest, rows, vintage=vintage)
    own = {"_changes": found.changes, "rows": found.rows, "names": found.names}
    return Dataset(incidents, exiles, sources, problems, found.set_aside, info, **own)


def _checksum(source: object, sheets: list["Sheet"]) -> str:
    """Of the file; of the cells where there is none (an address is read once only)."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for sheet in sheets:
        digest.update("\0".join(sheet.frame.columns).encode())
        digest.update(pd.util.hash_pandas_object(sheet.frame.fillna("")).to_numpy().tobytes())
    return digest.hexdigest()


def _problems(changes: "Changes") -> pd.DataFrame:
    """What was set aside or dropped, in the columns that all problems have."""
    bad = changes.frame(only=("set aside", "dropped", "withdrawn"))
    if bad.empty:
        return pd.DataFrame(columns=PROBLEM_COLUMNS)
    bad = bad.assign(
        problem=bad["rule"], action=bad["severity"], value=bad["value"].fillna("(not shown)")
    )
    bad["row"] = bad["row"].fillna(1).astype("int64")
    return bad[PROBLEM_COLUMNS]


def _assemble(path: Path, about: dict[str, str], label: str) -> Dataset:
    folder = path.is_dir()
    files = {"incidents": path / "incidents.csv" if folder else path}
    if folder:
        files |= {
            name: path / f"{name}.csv"
            for name in ("exiles", "sources")
            if (path / f"{name}.csv").exists()
        }
    text = {name: read_text(file) for name, file in files.items()}
    for name, frame in text.items():
        missing = [column for column in NEEDED[name] if column not in frame]
        if missing:
            hint = (
                "; its cells seem to be separated by semicolons: save it with commas"
                if ";" in frame.columns[0]
                else ""
            )
            raise DataError(
                f"{files[name]} lacks the column(s) {', '.join(missing)}: see `cape codebook {name}`{hint}"
            )
    report, single = _Report(withdrawn(text["incidents"])), "exiles" not in text
    clean = {
        name: report.clean(text[name], name, files[name].name)
        for name in ("exiles", "sources")
        if name in text
    }
    fill = {} if "sources" in text else {"source_id": NO_SOURCE}
    rows_used = report.clean(
        text["incidents"], "incidents", files["incidents"].name, PERSON if single else (), fill
    )
    if "incident_id" not in rows_used:
        rows_used = rows_used.assign(incident_id=[f"I{row:04d}" for row in rows_used.index + 1])
    if "sources" not in text:
        rows_used = rows_used.assign(**({} if "source_id" in rows_used else fill))
        given = rows_used["source_id"][rows_used["source_id"] != NO_SOURCE]
        clean["sources"] = pd.DataFrame({"source_id": given.unique()}, dtype="str")
    if single:
        clean["exiles"] = _exiles_of(rows_used)
        report.compare(rows_used, clean["exiles"], files["incidents"].name)
    clean = {name: typed(frame, name) for name, frame in (clean | {"incidents": rows_used}).items()}
    incidents = report.orphans(
        clean["incidents"], clean["exiles"], "exile_id", text["incidents"], files["incidents"].name
    )
    if "sources" in files:
        incidents = report.orphans(
            incidents, clean["sources"], "source_id", text["incidents"], files["incidents"].name
        )
    if incidents.empty:
        first = report.problems().query("action == 'set aside'")
        why = (
            "; the first problem is in row {row}, column {column}: {problem}, {remedy}".format_map(
                first.iloc[0]
            )
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
        _sha256(files, report.gone),
        rows,
        synthetic,
    )
    return Dataset(
        _derived(incidents),
        exiles,
        clean["sources"].reset_index(drop=True),
        report.problems(),
        report.set_aside(),
        info,
    )


def _derived(incidents: pd.DataFrame) -> pd.DataFrame:
    """The incidents with the columns that follow from others: dates, year and stage."""
    incidents = incidents.reset_index(drop=True)
    when = edtf.bounds(incidents["date"])
    stage = np.array(
        [stage_of()[measure] - 1 for measure in incidents["measure"].cat.categories] + [-1]
    )
    return incidents.assign(
        doubtful=incidents["doubtful"].fillna(False).astype(bool),
        date_start=when["date_start"],
        date_end=when["date_end"],
        precision=when["precision"],
        year=edtf.year(when["date_start"], when["date_end"]),
        stage=pd.Categorical.from_codes(
            stage[incidents["measure"].cat.codes], [1, 2, 3], ordered=True
        ),
    )


def _exiles_of(incidents: pd.DataFrame) -> pd.DataFrame:
    """The exiles of a single table: for each key the first value that is given; without a category it is unknown."""
    cells = incidents.reindex(columns=["exile_id", "origin", *PERSON]).astype("str")
    return (
        cells.groupby("exile_id", sort=False).first().fillna({"category": "unknown"}).reset_index()
    )


def _sha256(files: dict[str, Path], gone: set[str]) -> str:
    """Of the files, and of the keys withdrawn from them: results with and without a withdrawn entry differ."""
    digest = hashlib.sha256(" ".join(sorted(gone)).encode())
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + files[name].read_bytes())
    return digest.hexdigest()


class _Report:
    """Collects what cleaning does, so that every row read ends up clean or set aside."""

    def __init__(self, withdrawn: set[str]) -> None:
        self.withdrawn = withdrawn
        self.gone: set[str] = set()
        self._problems: list[pd.DataFrame] = []
        self._aside: list[pd.DataFrame] = []

    def clean(
        self,
        raw: pd.DataFrame,
        table: str,
        file: str,
        person: tuple[str, ...] = (),
        fill: dict[str, str] | None = None,
    ) -> pd.DataFrame:
        """The rows that the codebook allows, as text. person: columns of exiles that this table may carry; fill: for blanks."""
        known = [*columns(table), *person]
        extra = [name for name in raw.columns if name not in (*known, CELLS)]
        if extra:
            note = "not in the codebook: dropped at reading (names of persons never enter)"
            self._problems.append(
                _rows(
                    file, 1, extra, note, "rename it if it is a column of the codebook", "dropped"
                )
            )
        raw = raw[[name for name in (*known, CELLS) if name in raw]]
        gone = is_withdrawn(raw, self.withdrawn)
        if gone.any():
            self._problems.append(
                _rows(
                    file,
                    raw.index[gone] + 2,
                    "",
                    "withdrawn on request",
                    "see data/withdrawn.csv",
                    "withdrawn",
                )
            )
            self.gone |= {key for key in raw[gone].to_numpy().ravel() if key in self.withdrawn}
        raw = raw[~gone]
        filled = raw.fillna(fill or {})
        found = problems_of(filled, table, file)
        if person:
            carried = raw[[name for name in person if name in raw]].fillna({"category": "unknown"})
            found = (
                pd.concat([found, problems_of(carried, "exiles", file)], ignore_index=True)
                if len(carried.columns)
                else found
            )
        self._problems.append(found)
        bad = raw.index.isin(found["row"].astype(int) - 2)
        self._put_aside(raw[bad], file, found)
        return filled[~bad].drop(columns=CELLS, errors="ignore")

    def compare(self, incidents: pd.DataFrame, exiles: pd.DataFrame, file: str) -> None:
        """Names the rows of a single table in which an exile has another category than in the row that counts."""
        if "category" in incidents:
            counts = incidents["exile_id"].map(exiles.set_index("exile_id")["category"])
            other = incidents["category"].notna() & (incidents["category"] != counts)
            if other.any():
                note = "not the category of the exile's first row"
                self._problems.append(
                    _rows(
                        file,
                        other.index[other] + 2,
                        "category",
                        note,
                        "give one category to each exile",
                        "first one used",
                    )
                )

    def orphans(
        self, incidents: pd.DataFrame, other: pd.DataFrame, key: str, raw: pd.DataFrame, file: str
    ) -> pd.DataFrame:
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
            self._put_aside(
                raw.loc[
                    incidents.index[lost], [name for name in columns("incidents") if name in raw]
                ],
                file,
                found,
            )
        return incidents[~lost]

    def _put_aside(self, rows: pd.DataFrame, file: str, found: pd.DataFrame) -> None:
        if len(rows):
            why = (found["column"] + ": " + found["problem"]).groupby(found["row"]).agg("; ".join)
            numbers = pd.Series(rows.index + 2, index=rows.index)
            self._aside.append(
                rows.drop(columns=CELLS, errors="ignore").assign(
                    file=file, row=numbers, why=numbers.map(why)
                )
            )

    def problems(self) -> pd.DataFrame:
        some = [frame for frame in self._problems if len(frame)]
        return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=PROBLEM_COLUMNS)

    def set_aside(self) -> pd.DataFrame:
        if not self._aside:
            return pd.DataFrame(columns=["file", "row", "why"])
        frame = pd.concat(self._aside, ignore_index=True)
        return frame[
            ["file", "row", "why", *(name for name in frame if name not in ("file", "row", "why"))]
        ]


def _rows(
    file: str, row: object, column: object, problem: str, remedy: str, action: str
) -> pd.DataFrame:
    lines = {
        "file": file,
        "row": row,
        "column": column,
        "value": "(not shown)",
        "problem": problem,
        "remedy": remedy,
        "action": action,
    }
    return pd.DataFrame(lines)
