"""A table as a careless colleague would keep it: 200 made-up rows, and what each of them means.

`careless()` gives the rows, `truth(form)` what a good research assistant would make of them,
`write(folder)` the files: xlsx, ods, csv. Nothing in it happened and nobody in it exists. Its first
rows, without the last four columns:

Name               | Type of person | Country of origin | Where?  | When            | What happened
Person One         | оппозиционер   | Таджикистан       | США     | 15.11.2018      | DETENTION
Person Two         |                | Tadjikistan       | Чехия   | 27 January 2004 | extradited
Person Ninety-One  | opposition     | Uzbekistan        | Ukraine | 12.04.2013      | extradited
Person Three       | journalist     | Tajikistan        | Türkiye | 26 августа 2016 | депортирован

Further down: two hosts in a cell, merged and hidden rows, formulas, totals, rows that stand twice.
"""

import csv
import datetime
import random
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

COLUMNS = [
    "Name",
    "Type of person",
    "Country of origin",
    "Where?",
    "When",
    "What happened",
    "Family?",
    "Interpol?",
    "Source link",
    "Notes",
]
TITLE = "Exiles, my list (draft 3, do not share!!)"
GROUPS = {
    "Who": (0, 2),
    "What": (3, 5),
    "Also": (6, 7),
}  # merged cells over the column names; the others are merged downwards
SHEET, OTHER_SHEET = "Exiles", "to do"
FIRST_ROW = {
    "xlsx": 4,
    "ods": 4,
    "csv": 2,
}  # where the first of the 200 rows stands, as a person counts
ROWS = 200


class Formula(NamedTuple):
    """A cell that computes what it shows."""

    text: str
    shows: str | int


class Aside(str):
    """Why a cell cannot be used: its row is set aside."""


@dataclass(frozen=True)
class Row:
    """One row as written, and what the written date means.

    The other cells are looked up in MEANT.
    """

    cells: tuple[object, ...]
    date: str = ""
    exact: bool = (
        True  # False: any EDTF that says the same, such as 2015-01/2015-04 for "early 2015"
    )
    kind: str = "incident"  # or "blank", "total", "footer", "header", "heading"
    hidden: bool = False
    merged: int = 0  # the first three cells of this row reach over so many rows
    filled: tuple[
        object, ...
    ] = ()  # what the first three cells are, where they lie under such a merged cell
    same_as: str = ""  # label of the row that this one repeats
    near: str = ""  # label of the row that this one nearly repeats
    label: str = ""
    leeway: str = ""  # what else would be right


# ------------------------------------------------------------ what people write, and what it means

ORIGINS = {
    "TJK": ["Tajikistan", "Таджикистан", "Тоҷикистон", "Tadjikistan"],
    "UZB": ["Uzbekistan", "Узбекистан", "Oʻzbekiston", "Ўзбекистон"],
    "KAZ": ["Kazakhstan", "Казахстан", "Қазақстан"],
    "KGZ": ["Kyrgyzstan", "Киргизия", "Кыргызстан", "Kyrgyz Republic"],
    "TKM": ["Turkmenistan", "Туркменистан", "Türkmenistan"],
}
HOSTS = {
    "RUS": ["Russia", "Россия", "Russian Federation", "РФ", "Moscow", "Москва", "Russia (Moscow)"],
    "TUR": ["Turkey", "Türkiye", "Турция", "Istanbul", "Стамбул"],
    "UKR": ["Ukraine", "Украина", "Kyiv", "Киев"],
    "ARE": ["UAE", "United Arab Emirates", "ОАЭ", "Dubai"],
    "BLR": ["Belarus", "Белоруссия", "Беларусь", "Minsk"],
    "POL": ["Poland", "Польша", "Warsaw"],
    "CZE": ["Czech Republic", "Czechia", "Чехия", "Prague"],
    "AUT": ["Austria", "Австрия", "Vienna"],
    "USA": ["USA", "United States", "США"],
    "KAZ": ["Kazakhstan", "Казахстан", "Almaty"],
}
MEASURES = {
    "detention": ["detained", "Arrested", "задержан", "DETENTION "],
    "extradition": ["extradited", "Extradition", "экстрадирован"],
    "deportation": ["deported", "expelled", "депортирован"],
    "rendition": ["rendition", "abducted and taken home", "похищен"],
    "assassination": ["killed", "murdered", "убит"],
    "assassination_attempt": ["attempted murder", "assassination attempt", "покушение"],
    "attempted_rendition": ["attempted rendition"],
    "assault": ["beaten", "assaulted", "избит"],
    "disappearance": ["disappeared", "пропал без вести"],
    "red_notice": ["red notice", "Interpol red notice", "красное уведомление Интерпола"],
    "extradition_request": [
        "extradition request",
        "extradition requested",
        "запрос об экстрадиции",
    ],
    "threat": ["threatened", "threats", "угрозы"],
    "surveillance": ["surveillance", "слежка"],
    "passport_cancelled": ["passport cancelled", "passport revoked", "аннулирован паспорт"],
    "relatives_targeted": ["relatives threatened", "давление на родственников"],
    "conviction_abroad": ["convicted abroad", "Conviction abroad"],
    "other": ["put on the wanted list", "объявлен в розыск"],
}
TYPES = {
    "opposition": ["opposition", "opposition activist", "IRPT member", "оппозиционер"],
    "religious": ["imam", "religious", "имам"],
    "former_regime_insider": ["former official", "ex-minister", "бывший чиновник"],
    "journalist_civil_society": ["journalist", "журналист", "human rights defender"],
    "unknown": ["", "?", "unknown"],
}
YES = {"yes": ["yes", "Yes", "да", "x", "y", True], "": ["no", "нет", "", "", "n", "?", "n/a"]}


def _written(meanings: dict[str, list]) -> dict[object, tuple[str, ...]]:
    return {cell: (meaning,) for meaning, cells in meanings.items() for cell in cells}


NOT_A_STATE = Aside("not a state")
MEANT: dict[str, dict] = {
    "Type of person": _written(TYPES) | {None: ("unknown",)},
    "Country of origin": _written(ORIGINS)
    | {
        "Uzbekstan": ("UZB",),
        "Tadzhikstan": ("TJK",),
        "tajikistan ": ("TJK",),
        "TJK": ("TJK",),
        "uz": ("UZB",),
    }
    | {
        "Kirghizia": ("KGZ",),
        "USSR": NOT_A_STATE,
        "Central Asia": NOT_A_STATE,
        "": Aside("blank"),
        None: Aside("blank"),
    },
    "Where?": _written(HOSTS)
    | {
        "Russia / Turkey": ("RUS", "TUR"),
        "Россия, Турция": ("RUS", "TUR"),
        "Kazakhstan and Russia": ("KAZ", "RUS"),
    }
    | {
        "Poland\nAustria": ("POL", "AUT"),
        "Bosnia and Herzegovina": ("BIH",),
        "Georgia": ("GEO",),
        "Niger": ("NER",),
    }
    | {"Turkey?": ("TUR",), "": (), None: (), "unknown": (), "-": (), "?": ()}
    | {
        "EU": NOT_A_STATE,
        "Europe": NOT_A_STATE,
        "@home": NOT_A_STATE,
        "Soviet Union": NOT_A_STATE,
        "Yugoslavia": NOT_A_STATE,
    },
    "What happened": _written(MEASURES)
    | {
        "detained, then deported": ("detention", "deportation"),
        "arrested; extradited": ("detention", "extradition"),
    }
    | {
        "задержан и депортирован": ("detention", "deportation"),
        "threats + beaten": ("threat", "assault"),
    }
    | {
        "had some trouble": Aside("unknown measure"),
        "": Aside("blank"),
        None: Aside("blank"),
        "???": Aside("unknown measure"),
    },
    "Family?": _written(YES) | {None: ("",)},
    "Interpol?": _written(YES) | {None: ("",)},
}

ENGLISH = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
RUSSIAN = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
]
MONTH_RU = [
    "январь",
    "февраль",
    "март",
    "апрель",
    "май",
    "июнь",
    "июль",
    "август",
    "сентябрь",
    "октябрь",
    "ноябрь",
    "декабрь",
]

ONES = (
    "Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen"
    " Sixteen Seventeen Eighteen Nineteen"
)
TENS = "Twenty Thirty Forty Fifty Sixty Seventy Eighty Ninety"


def _dates(day: datetime.date) -> list[tuple[object, str, bool]]:
    """The habits: how a day may be written, what is left of it, whether EDTF has one way only."""
    month, year = day.month - 1, day.year
    full, to_month = day.isoformat(), f"{day:%Y-%m}"
    return [
        (f"{day:%d.%m.%Y}", full, True),
        (f"{day.day} {ENGLISH[month]} {year}", full, True),
        (f"{day.day} {RUSSIAN[month]} {year} г.", full, True),
        (f"{day.day}-{ENGLISH[month][:3]}-{year}", full, True),
        (day, full, True),  # a date cell
        (
            (day - datetime.date(1899, 12, 30)).days,
            full,
            True,
        ),  # a date cell that has lost its format
        (full, full, True),
        (f"{ENGLISH[month]} {year}", to_month, True),
        (f"{MONTH_RU[month]} {year}", to_month, True),
        (year, str(year), True),
        (str(year), str(year), True),
        (f"summer {year}", f"{year}-22", True),
        (f"осень {year}", f"{year}-23", True),
        (f"early {year}", str(year), False),
        (f"{year}?", f"{year}?", True),
        (f"c. {year}", f"{year}~", True),
        (f"{year - 1}-{year + 1}", f"{year - 1}/{year + 1}", True),
    ]


def person(number: int) -> str:
    """A name that is plainly made up.

    >>> person(1), person(42)
    ('Person One', 'Person Forty-Two')
    """
    ones, tens = ONES.split(), TENS.split()
    if number < 20:
        return f"Person {ones[number]}"
    return f"Person {tens[number // 10 - 2]}" + (f"-{ones[number % 10]}" if number % 10 else "")


# ---------------------------------------------------------------- the rows


def _ordinary(count: int) -> list[Row]:
    """Rows that can all be used, each in other words. A person has one to three of them."""
    chance, rows = random.Random(2015), []
    codes, turn = list(MEASURES), 0
    for number in range(1, 100):
        origin, kind = chance.choice(list(ORIGINS)), chance.choice(list(TYPES))
        for _ in range(chance.choice([1, 1, 2, 3])):
            if len(rows) == count:
                return rows
            day = datetime.date(
                chance.randint(1995, 2018), chance.randint(1, 12), chance.randint(13, 28)
            )
            ways = _dates(day)
            when, date, exact = ways[turn % len(ways)]
            host = chance.choice([code for code in HOSTS if code != origin])
            link = f"https://example.org/report/{turn}"
            source = [
                link,
                Formula(f'HYPERLINK("{link}","report {turn}")', f"report {turn}"),
                "see above",
                "",
            ][turn % 4]
            cells = (
                person(number),
                chance.choice(TYPES[kind]),
                chance.choice(ORIGINS[origin]),
                chance.choice(HOSTS[host]),
                when,
                chance.choice(MEASURES[codes[turn % len(codes)]]),
                *(chance.choice(YES["yes"] + YES[""]) for _ in ("Family?", "Interpol?")),
                source,
                "",
            )
            rows.append(Row(cells, date, exact, label=f"ordinary {turn}"))
            turn += 1
    raise AssertionError("not enough persons")


def _special() -> list[list[Row]]:
    """Rows with a trap each; rows of one list stay together."""

    def row(
        name="Person Ninety",
        origin="Tajikistan",
        where="Russia",
        when: object = "2014",
        what="detained",
        **rest,
    ) -> Row:
        kind, family, interpol = (
            rest.pop("type", "opposition"),
            rest.pop("family", ""),
            rest.pop("interpol", ""),
        )
        source, notes = rest.pop("source", "https://example.org/special"), rest.pop("notes", "")
        date = rest.pop("date", str(when))
        return Row(
            (name, kind, origin, where, when, what, family, interpol, source, notes), date, **rest
        )

    twice = row(
        person(91),
        "Uzbekistan",
        "Ukraine",
        "12.04.2013",
        "extradited",
        date="2013-04-12",
        label="twice",
    )
    nearly = row(
        person(92),
        "Tajikistan",
        "Turkey",
        "5 March 2015",
        "killed",
        date="2015-03-05",
        label="nearly",
    )
    first = row(person(93), "Tajikistan", "Moscow", "2011", "detained", merged=3, label="merged")
    family = [
        first,
        *(
            _under(first, row(when=year, what=what))
            for year, what in (("2012", "threatened"), ("2013", "deported"))
        ),
    ]
    second = row(person(94), "Uzbekistan", "Almaty", "2005", "red notice", type="imam", merged=2)
    cleric = [second, _under(second, row(where="Kazakhstan", when="2006", what="extradited"))]
    apart = "an assistant may also pair the hosts and the measures in their order"
    history = "depends on the table of historical states"
    single = [
        row(person(60), where="Russia / Turkey", when="2009", what="threatened"),
        row(person(61), where="Россия, Турция", when="2010", what="слежка"),
        row(person(62), where="Kazakhstan and Russia", when="2010", what="detained"),
        row(person(63), where="Poland\nAustria", when="2016", what="surveillance"),
        row(person(64), what="detained, then deported", when="2012"),
        row(person(65), what="arrested; extradited", when="2013", where="Ukraine"),
        row(person(66), what="задержан и депортирован", when="2011", where="РФ"),
        row(person(67), what="threats + beaten", when="2016", where="Poland"),
        row(
            person(68),
            where="Russia / Turkey",
            what="detained, then deported",
            when="2017",
            leeway=apart,
        ),
        row(person(69), where="EU", when="2016"),
        row(person(69), where="Europe", when="2017"),
        row(person(70), where="@home", when="2015"),
        row(person(70), where="-", when="2016", what="threats"),
        row(person(71), where="unknown", when="2014"),
        row(person(71), where="?", when="2015"),
        row(person(72), where="", when="2013"),
        row(person(73), where="Bosnia and Herzegovina", when="2016"),
        row(person(73), where="Georgia", when="2012"),
        row(person(74), where="Niger", when="2015"),
        row(person(74), where="Turkey?", when="2016"),
        row(person(75), origin="USSR", where="Austria", when="1990", leeway=history),
        row(person(75), where="Soviet Union", origin="Tajikistan", when="1991", leeway=history),
        row(person(76), where="Yugoslavia", when="1999", leeway=history),
        row(person(76), origin="Kirghizia", when="1996"),
        row(person(77), origin="Uzbekstan", when="2008"),
        row(person(77), origin="uz", when="2009"),
        row(person(78), origin="Tadzhikstan", when="2010"),
        row(person(78), origin="tajikistan ", when="2011"),
        row(person(79), origin="TJK", when="2012"),
        row(person(79), origin="Central Asia", when="2013"),
        row(person(80), origin="", when="2014"),
        row(person(81), when="05.03.15", date=Aside("two-digit year")),
        row(person(81), when="31.02.2015", date=Aside("no such day")),
        row(person(82), when="before 2015", date=Aside("open interval")),
        row(person(82), when="soon", date=Aside("not a date")),
        row(person(83), when="5/3/2015", date="2015-03-05", what="beaten"),
        row(person(83), when="n.d.", date="", what="assaulted"),
        row(person(84), when="", date="", what="expelled"),
        row(person(84), when="March-May 2014", date="2014-03/2014-05", what="surveillance"),
        row(person(85), what="had some trouble", when="2014"),
        row(person(85), what="", when="2015"),
        row(person(86), what="???", when="2016"),
        row(person(87), notes='=HYPERLINK("https://example.org/x","click me")', when="2012"),
        row(person(87), notes="=1+1", when="2013", source="-"),
        row(person(87), notes="@home with 2 friends", when="2014", source="+ see my mail"),
        row(person(88), notes="-", when="2015"),
        row(person(88), notes="<script>alert(1)</script>", when="2016"),
        row(person(88), notes='he said: "maybe"; then; nothing\n(second line)', when="2017"),
        row("3 men (not named)", notes="group", when="2012", what="deported"),
        row("", when="2011", what="deported", where="Ukraine"),
        row(person(89), when="2007", hidden=True, notes="hidden on purpose?"),
        row(person(89), when="2008", hidden=True, where="Turkey"),
        row(person(89), when="2009", hidden=True, where="EU"),
        replace(twice, label="", same_as="twice"),
        replace(
            nearly,
            cells=(*nearly.cells[:4], "6 March 2015", *nearly.cells[5:]),
            date="2015-03-06",
            label="",
            near="nearly",
        ),
        replace(nearly, cells=("Person  ninety two", *nearly.cells[1:]), label="", near="nearly"),
        replace(
            nearly,
            cells=(
                *nearly.cells[:2],
                "Таджикистан",
                "Стамбул",
                "05.03.2015",
                "убит",
                *nearly.cells[6:],
            ),
            label="",
            near="nearly",
            leeway="the same incident in other words: an exact duplicate once it is clean",
        ),
        Row(("--- 2016 and later ---", *[None] * 9), kind="heading"),
        Row(tuple(COLUMNS), kind="header"),
        *[Row((None,) * 10, kind="blank") for _ in range(4)],
    ]
    return [[twice], [nearly], family, cleric, *([one] for one in single)]


def _under(above: Row, row: Row) -> Row:
    """A row whose person, type and origin stand in the merged cells above it."""
    return replace(row, cells=(None, None, None, *row.cells[3:]), filled=above.cells[:3])


def _rows() -> list[Row]:
    special = _special()
    ending = [
        Row(
            (
                "Total",
                None,
                None,
                None,
                None,
                Formula("COUNTA(F4:F201)", 188),
                None,
                None,
                None,
                None,
            ),
            kind="total",
        ),
        Row(
            ("Source: own collection from public reports; last updated: soon", *[None] * 9),
            kind="footer",
        ),
    ]
    ordinary = _ordinary(ROWS - sum(map(len, special)) - len(ending))
    repeats = [
        replace(ordinary[place], label="", same_as=f"ordinary {place}") for place in (3, 40, 41)
    ]
    ordinary[-3:] = repeats
    rows, every = [], len(ordinary) / len(special)
    for place, together in enumerate(special):
        rows += ordinary[round(place * every) : round((place + 1) * every)] + together
    return rows + ending


def careless() -> pd.DataFrame:
    """The 200 rows as the colleague wrote them.

    Cells are text, numbers, dates, True or Formula; None where empty.
    """
    return pd.DataFrame([row.cells for row in _rows()], columns=COLUMNS, dtype="object")


def truth(form: str = "xlsx") -> pd.DataFrame:
    """What each of the 200 rows means, on the same index.

    form: "xlsx", "ods" or "csv". In csv merged cells are gone, and letters that cp1251 lacks have
    become question marks.

    Columns: `kind`; `person` (as written; "" where not given); `origin`; `hosts` and `measures`
    (tuples: several values are several linked rows); `date` (EDTF) and `date_exact` (False: another
    EDTF may say the same); `category`; `relatives` and `interpol` ("yes" or ""); `set_aside`
    (column and reason, "" where the row can be used or is blank); `hidden`; `same_as` and `near`
    (position of the row that it repeats or nearly repeats, -1 for none); `leeway` (what else would
    be right).
    """
    rows = _rows()
    labels = {row.label: place for place, row in enumerate(rows) if row.label}
    return pd.DataFrame([_meant(row, form, labels) for row in rows])


def _meant(row: Row, form: str, labels: dict[str, int]) -> dict[str, object]:
    cells = dict(zip(COLUMNS, row.cells, strict=True))
    leeway = row.leeway
    if row.filled and form != "csv":
        cells |= dict(zip(COLUMNS[:3], row.filled, strict=True))
    elif row.filled:
        leeway = "an assistant may also fill in what stands above, and say so"
    if form == "csv" and any(
        "?" in _csv(cells[column]) and "?" not in str(cells[column]) for column in COLUMNS[:6]
    ):
        leeway = "letters lost in cp1251: a guess that shows, or set aside"
    meant = {
        "kind": row.kind,
        "person": cells["Name"] or "",
        "origin": "",
        "hosts": (),
        "date": "",
        "date_exact": row.exact,
        "measures": (),
        "category": "",
        "relatives": "",
        "interpol": "",
        "set_aside": "" if row.kind in ("incident", "blank") else f"row: {row.kind}",
        "hidden": row.hidden,
        "same_as": labels.get(row.same_as, -1),
        "near": labels.get(row.near, -1),
        "leeway": leeway,
    }
    if row.kind != "incident":
        return meant | {"person": ""}
    found = {column: MEANT[column][cells[column]] for column in MEANT} | {"When": row.date}
    aside = [
        f"{column}: {meaning}" for column, meaning in found.items() if isinstance(meaning, Aside)
    ]
    if aside:
        return meant | {"set_aside": "; ".join(aside)}
    return meant | {
        "origin": found["Country of origin"][0],
        "hosts": found["Where?"],
        "date": row.date,
        "measures": found["What happened"],
        "category": found["Type of person"][0],
        "relatives": found["Family?"][0],
        "interpol": found["Interpol?"][0],
    }


# ---------------------------------------------------------------- the files


def write(folder: Path) -> dict[str, Path]:
    """Writes the table as the colleague would send it: the paths of "xlsx", "ods" and "csv"."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {form: folder / f"my exiles FINAL2.{form}" for form in FIRST_ROW}
    rows = _rows()
    _write_xlsx(rows, paths["xlsx"])
    _write_ods(rows, paths["ods"])
    with paths["csv"].open("w", encoding="cp1251", errors="replace", newline="") as file:
        csv.writer(file, delimiter=";").writerows(
            [COLUMNS, *([_csv(cell) for cell in row.cells] for row in rows)]
        )
    return paths


def _csv(cell: object) -> str:
    """A cell as a spreadsheet program exports it in cp1251."""
    if isinstance(cell, datetime.date):
        return f"{cell:%d.%m.%Y}"
    if isinstance(cell, Formula):
        return str(cell.shows)
    text = "" if cell is None else str(cell).upper() if isinstance(cell, bool) else str(cell)
    return text.encode("cp1251", errors="replace").decode("cp1251")


def _write_xlsx(rows: list[Row], path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = OTHER_SHEET
    book.active.append(["ask about 2016", "call the library"])
    sheet = book.create_sheet(SHEET)
    sheet["A1"] = TITLE
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(COLUMNS))
    for column, name in enumerate(COLUMNS, 1):
        group = next(
            (group for group, (first, last) in GROUPS.items() if first <= column - 1 <= last), None
        )
        sheet.cell(3 if group else 2, column, name)
        if not group:
            sheet.merge_cells(start_row=2, end_row=3, start_column=column, end_column=column)
    for group, (first, last) in GROUPS.items():
        sheet.cell(2, first + 1, group)
        sheet.merge_cells(start_row=2, end_row=2, start_column=first + 1, end_column=last + 1)
    shown = {}
    for number, row in enumerate(rows, FIRST_ROW["xlsx"]):
        for column, cell in enumerate(row.cells, 1):
            target = sheet.cell(number, column)
            if isinstance(cell, Formula):
                target.value = f"={cell.text}"
                shown[target.coordinate] = cell.shows
            elif cell not in (None, ""):
                target.value = cell
                if isinstance(cell, str):
                    target.data_type = "s"  # text that begins with = stays text
                elif isinstance(cell, datetime.date):
                    target.number_format = "DD.MM.YYYY"
        sheet.row_dimensions[number].hidden = row.hidden
        for column in range(1, 4 if row.merged else 1):
            sheet.merge_cells(
                start_row=number,
                end_row=number + row.merged - 1,
                start_column=column,
                end_column=column,
            )
    book.save(path)
    _compute(path, shown)


def _compute(path: Path, shown: dict[str, str | int]) -> None:
    """Puts the results beside the formulas of a workbook, as a spreadsheet program does on saving.

    openpyxl cannot.
    """

    def result(found: re.Match) -> str:
        value = shown[found[1]]
        kind = ' t="str"' if isinstance(value, str) else ""
        return f'<c r="{found[1]}"{found[2]}{kind}>{found[3]}<v>{value}</v></c>'

    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            if name == "xl/worksheets/sheet2.xml":
                text = content.decode("utf-8")
                text, count = re.subn(
                    r'<c r="([A-Z]+\d+)"((?: s="\d+")?)>(<f>[^<]*</f>)<v ?/?>(?:</v>)?</c>',
                    result,
                    text,
                )
                assert count == len(shown)
                content = text.encode("utf-8")
            book.writestr(name, content)


def _write_ods(rows: list[Row], path: Path) -> None:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import CoveredTableCell, Table, TableCell, TableRow
    from odf.text import P

    def filled(cell: object, **spans: int):
        attributes: dict[str, object] = dict(spans)
        text = _ods_text(cell)
        if isinstance(cell, Formula):
            attributes["formula"] = f"of:={cell.text}".replace(",", ";").replace(
                "F4:F201", "[.F4:.F201]"
            )
            cell = cell.shows
        if isinstance(cell, bool):
            attributes |= {"valuetype": "boolean", "booleanvalue": str(cell).lower()}
        elif isinstance(cell, int):
            attributes |= {"valuetype": "float", "value": cell}
        elif isinstance(cell, datetime.date):
            attributes |= {"valuetype": "date", "datevalue": cell.isoformat()}
        elif cell not in (None, ""):
            attributes["valuetype"] = "string"
        made = TableCell(**attributes)
        for line in text.split("\n") if text else []:
            made.addElement(P(text=line))
        return made

    def line(cells: list, **attributes: str):
        made = TableRow(**attributes)
        for cell in cells:
            made.addElement(cell)
        return made

    book = OpenDocumentSpreadsheet()
    other, sheet = Table(name=OTHER_SHEET), Table(name=SHEET)
    other.addElement(line([filled("ask about 2016"), filled("call the library")]))
    sheet.addElement(
        line(
            [
                filled(TITLE, numbercolumnsspanned=len(COLUMNS)),
                *(CoveredTableCell() for _ in COLUMNS[1:]),
            ]
        )
    )
    upper, lower = [], []
    starts = {first: (group, last - first + 1) for group, (first, last) in GROUPS.items()}
    inside = {place for first, last in GROUPS.values() for place in range(first, last + 1)}
    for place, name in enumerate(COLUMNS):
        if place in starts:
            upper.append(filled(starts[place][0], numbercolumnsspanned=starts[place][1]))
        elif place in inside:
            upper.append(CoveredTableCell())
        else:
            upper.append(filled(name, numberrowsspanned=2))
        lower.append(filled(name) if place in inside else CoveredTableCell())
    sheet.addElement(line(upper))
    sheet.addElement(line(lower))
    for row in rows:
        cells = [filled(cell) for cell in row.cells]
        if row.merged:
            cells[:3] = [filled(cell, numberrowsspanned=row.merged) for cell in row.cells[:3]]
        if row.filled:
            cells[:3] = [CoveredTableCell() for _ in range(3)]
        sheet.addElement(line(cells, **({"visibility": "collapse"} if row.hidden else {})))
    book.spreadsheet.addElement(other)
    book.spreadsheet.addElement(sheet)
    book.save(str(path))


def _ods_text(cell: object) -> str:
    if isinstance(cell, datetime.date):
        return f"{cell:%d.%m.%Y}"
    if isinstance(cell, Formula):
        return str(cell.shows)
    return "" if cell is None else str(cell).upper() if isinstance(cell, bool) else str(cell)
