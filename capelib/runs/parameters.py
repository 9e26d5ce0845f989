"""Parameters of notebooks: read from the tagged cell, checked before a kernel starts and again inside the notebook."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capelib.analysis.choices import MARGIN, MODELS, UNITS
from capelib.dataset.codebook import PUBLIC_RECORD, codes, require, unknown
from capelib.errors import CapeError, ParameterError
from capelib.files import cells

FIRST, LAST = 1950, 2100


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameter cell."""

    name: str
    kind: str  # int, float, bool, str, list[int], list[str]
    default: Any
    comment: str


def declared(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a notebook declares, from its cell tagged `parameters`, read with `ast`.

    Each is one line `name: type = value  # comment`. Raises CapeError for a notebook without such a cell, and for a line in it
    that is not a parameter (`x: False` would be an annotation and never exist).
    """
    tagged = [cell for cell in cells(notebook) if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise CapeError(f"{notebook.name} needs one cell tagged 'parameters', it has {len(tagged)}")
    source = "".join(tagged[0]["source"])
    lines, found = source.splitlines(), {}
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
            raise CapeError(f"{notebook.name}, parameter cell, line {node.lineno}: expected `name: type = value  # comment`")
        comment = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].partition("#")[2].strip()
        found[node.target.id] = Parameter(node.target.id, ast.unparse(node.annotation), ast.literal_eval(node.value), comment)
    return found


def parse(parameter: Parameter, text: str) -> Any:
    """The value of a parameter given as text on the command line, in its declared type.

    Lists are written with commas (or with +, as in a sweep). Raises ParameterError that names parameter, type and the text given.

    >>> parse(Parameter("stages", "list[int]", [2, 3], ""), "1,2,3")
    [1, 2, 3]
    """
    element = parameter.kind.removeprefix("list[").removesuffix("]")
    try:
        if parameter.kind.startswith("list["):
            return [_one(element, part) for part in text.strip("[] ").replace("+", ",").split(",") if part.strip()]
        return _one(element, text)
    except ValueError:
        raise ParameterError(f"parameter {parameter.name} must be {parameter.kind}, not {text!r}") from None


def _one(kind: str, text: str) -> Any:
    text = text.strip()
    if kind == "bool":
        if text.lower() not in ("true", "yes", "false", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "yes")
    return {"int": int, "float": float, "str": str}[kind](text.strip("'\"") if kind == "str" else text)


def fill(notebook: Path, given: dict[str, str]) -> dict[str, Any]:
    """Every parameter of a notebook with the value it will have: `given` as text, else the default; names, types and ranges checked.

    Raises ParameterError in one line, before any kernel starts.
    """
    values = read(notebook, given)
    try:
        check_parameters(**values)
    except ParameterError as error:
        raise ParameterError(f"{notebook.stem}: {error}") from None
    return values


def read(notebook: Path, given: dict[str, str]) -> dict[str, Any]:
    """The same with names and types checked only: enough to see whether a run has been made with these very values."""
    known = declared(notebook)
    for name in given:
        if name not in known or name == "out":
            choice = [key for key in known if key != "out"]
            raise ParameterError(f"{notebook.stem}: {unknown('parameter', name, choice)}")
    return {name: parse(parameter, given[name]) if name in given else parameter.default for name, parameter in known.items()}


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
    if not isinstance(value, list) or not value or any(type(year) is not int for year in value) or value != sorted(set(value)):
        raise ParameterError(f"split_years must be a list of years that rise, such as [2011, 2016], not {value!r}")
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
        raise ParameterError(f'no dataset {value!r}: give "{PUBLIC_RECORD}" or the path of a table or folder that exists')


def _vintage(value: Any) -> None:
    from capelib.dataset.dataset import vintages

    require("vintage", value, vintages())


def _origin(value: Any) -> None:
    from capelib.dataset.tables import states

    require("state", value, states())


def _stages(value: Any) -> None:
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise ParameterError(f"stages must be a list of different stages such as [2, 3], not {value!r}")
    require("stage", [str(stage) if type(stage) is int else repr(stage) for stage in value], codes("stage"))


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
    "unit": lambda value: require("unit", value, UNITS),
    "measure": lambda value: value == "all" or require("measure", value, codes("measure")),
    "model": lambda value: require("model", value, MODELS),
    "regime_measure": lambda value: require("regime measure", value, codes("regime_measure")),
    "stages": _stages,
    "doubtful": _flag,
    "out": _text("out"),
}


def _together(values: dict[str, Any]) -> list[str]:
    wrong = []
    if values.get("vintage") and values.get("dataset") == PUBLIC_RECORD:
        wrong.append("the built-in public record is not a published release: give a vintage with a dataset of yours")
    first, last = values.get("first_year"), values.get("last_year")
    if first is not None and last is not None:
        if first >= last:
            wrong.append(f"first_year {first} must lie before last_year {last}")
        else:
            for name, margin, after in (("break_year", MARGIN, MARGIN - 1), ("split_year", 1, 0)):
                value = values.get(name)
                if value is not None and not first + margin <= value <= last - after:
                    needed = f"{name} {value} must leave {margin} year(s) before it and {after + 1} from it on"
                    wrong.append(
                        f"{needed}: choose {first + margin} to {last - after}"
                        if first + margin <= last - after
                        else f"{needed}: widen the period"
                    )
    if "cutoff" in values:
        from capelib.reference import regimes

        try:
            regimes.at_or_below(values.get("regime_measure", "fiw"), values["cutoff"])
        except ParameterError as error:
            wrong.append(str(error))
    return wrong


def label(parameters: dict[str, Any], known: dict[str, Parameter]) -> str:
    """The part of a run's name that says which parameters differ from the defaults: `--origin=UZB`, or nothing."""
    changed = {name: value for name, value in parameters.items() if name in known and value != known[name].default and name != "out"}
    return "".join(f"--{name}={_short(value)}" for name, value in sorted(changed.items()))


def _short(value: Any) -> str:
    text = "+".join(map(str, value)) if isinstance(value, list) else str(value)
    return re.sub(r"[^\w.+-]", "_", Path(text).name if "/" in text or "\\" in text else text)
