"""Parameters of notebooks: read from the cell tagged `parameters`, and checked before a kernel starts."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capelib.errors import CapeError, ParameterError
from capelib.files import cells
from capelib.notebook import check_parameters
from capelib.vocabulary.codebook import unknown


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
    tagged = [
        cell for cell in cells(notebook) if "parameters" in cell.get("metadata", {}).get("tags", [])
    ]
    if len(tagged) != 1:
        raise CapeError(f"{notebook.name} needs one cell tagged 'parameters', it has {len(tagged)}")
    source = "".join(tagged[0]["source"])
    lines, found = source.splitlines(), {}
    for node in ast.parse(source).body:
        if not (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.value is not None
        ):
            raise CapeError(
                f"{notebook.name}, parameter cell, line {node.lineno}: expected `name: type = value  # comment`"
            )
        comment = (
            lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
            .partition("#")[2]
            .strip()
        )
        found[node.target.id] = Parameter(
            node.target.id, ast.unparse(node.annotation), ast.literal_eval(node.value), comment
        )
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
            return [
                _one(element, part)
                for part in text.strip("[] ").replace("+", ",").split(",")
                if part.strip()
            ]
        return _one(element, text)
    except ValueError:
        raise ParameterError(
            f"parameter {parameter.name} must be {parameter.kind}, not {text!r}"
        ) from None


def _one(kind: str, text: str) -> Any:
    text = text.strip()
    if kind == "bool":
        if text.lower() not in ("true", "yes", "false", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "yes")
    return {"int": int, "float": float, "str": str}[kind](
        text.strip("'\"") if kind == "str" else text
    )


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
    return {
        name: parse(parameter, given[name]) if name in given else parameter.default
        for name, parameter in known.items()
    }


def label(parameters: dict[str, Any], known: dict[str, Parameter]) -> str:
    """The part of a run's name that says which parameters differ from the defaults: `--origin=UZB`, or nothing."""
    changed = {
        name: value
        for name, value in parameters.items()
        if name in known and value != known[name].default and name != "out"
    }
    return "".join(f"--{name}={_short(value)}" for name, value in sorted(changed.items()))


def _short(value: Any) -> str:
    text = "+".join(map(str, value)) if isinstance(value, list) else str(value)
    return re.sub(r"[^\w.+-]", "_", Path(text).name if "/" in text or "\\" in text else text)
