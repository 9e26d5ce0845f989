"""Parameters of notebooks: read from their tagged cell, and checked before a kernel starts."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from capelib.errors import CapeError, ParameterError
from capelib.files import cells
from capelib.paths import project_folder
from capelib.vocabulary.codebook import codebook, codes, spelt, unknown

EVERY = "all"  # every origin, every measure
_STATES = ("origin", "exclude_host", "exclude_origin")
_SEVERAL = ("exclude_host", "exclude_origin")  # these may name several states: RUS+TUR
_CODED = {"measure": "measure", "regime_measure": "regime_measure"}
_SPELT = ("unit", "model", "vintage")


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameter cell.

    Attributes
    ----------
    name : str
    kind : str
        int, float, bool, str, list[int] or list[str].
    default : Any
    comment : str
    """

    name: str
    kind: str
    default: Any
    comment: str


def declared(notebook: Path) -> dict[str, Parameter]:
    """Which parameters does a notebook declare, in its cell tagged `parameters`?

    Parameters
    ----------
    notebook
        The notebook's file. Each line of its tagged cell is `name: type = value  # comment`.

    Returns
    -------
    dict
        The parameters by name. The cell is read with `ast`; nothing is run.

    Raises
    ------
    CapeError
        For a notebook without such a cell, and for a line in it that is not a parameter
        (`x: False` would be an annotation, and the variable would never exist).
    """
    tagged = [
        cell for cell in cells(notebook) if "parameters" in cell.get("metadata", {}).get("tags", [])
    ]
    if len(tagged) != 1:
        raise CapeError(f"{notebook.name} needs one cell tagged 'parameters', it has {len(tagged)}")
    source = "".join(tagged[0]["source"])
    lines = source.splitlines()
    parameters = {}
    for node in ast.parse(source).body:
        if (
            not isinstance(node, ast.AnnAssign)
            or not isinstance(node.target, ast.Name)
            or node.value is None
        ):
            raise CapeError(
                f"{notebook.name}, parameter cell, line {node.lineno}: "
                "expected `name: type = value  # comment`"
            )
        after_value = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
        comment = after_value.partition("#")[2].strip()
        name = node.target.id
        default = ast.literal_eval(node.value)
        parameters[name] = Parameter(name, ast.unparse(node.annotation), default, comment)
    return parameters


def parse(parameter: Parameter, text: str) -> Any:
    """Which value does a text on the command line give a parameter?

    Parameters
    ----------
    parameter
        Its type decides how the text is read.
    text
        As typed. Lists are written with commas (or with +, as in a sweep).

    Returns
    -------
    Any
        The value in the declared type.

    Raises
    ------
    ParameterError
        Naming the parameter, its type and the text.

    Examples
    --------
    >>> parse(Parameter("stages", "list[int]", [2, 3], ""), "1,2,3")
    [1, 2, 3]
    """
    element = parameter.kind.removeprefix("list[").removesuffix("]")
    try:
        if not parameter.kind.startswith("list["):
            return _value(element, text)
        parts = text.strip("[] ").replace("+", ",").split(",")
        return [_value(element, part) for part in parts if part.strip()]
    except ValueError:
        raise ParameterError(
            f"parameter {parameter.name} must be {parameter.kind}, not {text!r}"
        ) from None


def _value(kind: str, text: str) -> Any:
    """One value of a type that is no list."""
    text = text.strip()
    if kind == "bool":
        if text.lower() not in ("true", "yes", "false", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "yes")
    if kind == "str":
        return text.strip("'\"")
    return {"int": int, "float": float}[kind](text)


def read(notebook: Path, given: dict[str, str]) -> dict[str, Any]:
    """Which value will every parameter of a notebook have?

    Names and types are checked, ranges are not. That is enough to see whether a run has been made
    with these very values.

    Parameters
    ----------
    notebook
        The notebook's file.
    given
        Values as text; the other parameters have their defaults.

    Returns
    -------
    dict
        Every parameter with its value; words for a state or a code are made the code.

    Raises
    ------
    ParameterError
        For an unknown name, and for a text that is not of the declared type.
    """
    known = declared(notebook)
    for name in given:
        if name not in known or name == "out":
            choice = [key for key in known if key != "out"]
            raise ParameterError(f"{notebook.stem}: {unknown('parameter', name, choice)}")
    return {
        name: _as_code(name, parse(parameter, given[name])) if name in given else parameter.default
        for name, parameter in known.items()
    }


def _as_code(name: str, value: Any) -> Any:
    """A value as the code that it means (UZB for Uzbekistan), so that a run has one name.

    What means none stays as it is: `check` says so.
    """
    if not isinstance(value, str) or value in ("", EVERY):
        return value
    if name in _STATES:
        known = all(_is_code_of_state(part) for part in value.split("+"))
    elif name in _CODED:
        known = value in codes(_CODED[name])
    elif name in _SPELT:
        return spelt(value, codes(name))
    else:
        return value
    if known:
        return value
    # Imports pandas, so only where something is to be read.
    from capelib.meaning.arguments import codes_meant, states_meant

    try:
        if name in _CODED:
            return codes_meant(name, value, _CODED[name])[0]
        wanted = value.split("+") if name in _SEVERAL else [value]
        return "+".join(states_meant("state", wanted))
    except ParameterError:
        return value


@cache
def _codes_of_states() -> frozenset[str]:
    path = project_folder("data") / codebook()["table"]["states"]["path"]
    lines = path.read_text(encoding="utf-8-sig").splitlines()[1:]
    return frozenset(line.partition(",")[0] for line in lines)


def _is_code_of_state(value: str) -> bool:
    return value in _codes_of_states()


def check(notebook: Path, values: dict[str, Any]) -> None:
    """May a notebook be run with these values?

    Raises
    ------
    ParameterError
        In one line that names the notebook and everything that is wrong.
    """
    # Imports pandas, so only where a run is to be made.
    from capelib.notebook import check_parameters

    try:
        check_parameters(**values)
    except ParameterError as error:
        raise ParameterError(f"{notebook.stem}: {error}") from None


def fill(notebook: Path, given: dict[str, str]) -> dict[str, Any]:
    """The same as `read`, with ranges checked too: see `check`."""
    values = read(notebook, given)
    check(notebook, values)
    return values


def label(parameters: dict[str, Any], known: dict[str, Parameter]) -> str:
    """Which part of a run's name says that parameters differ from the defaults?

    Parameters
    ----------
    parameters
        The values of a run.
    known
        What `declared` gives for its notebook.

    Returns
    -------
    str
        Such as `--origin=UZB`; "" where none differs.
    """
    changed = {
        name: value
        for name, value in parameters.items()
        if name in known and value != known[name].default and name != "out"
    }
    if "dataset" in changed:
        from capelib.check.files import shown_name

        changed["dataset"] = shown_name(changed["dataset"])
    return "".join(f"--{name}={_in_a_name(value)}" for name, value in sorted(changed.items()))


def _in_a_name(value: Any) -> str:
    """A value as part of a folder's name."""
    text = "+".join(map(str, value)) if isinstance(value, list) else str(value)
    if "/" in text or "\\" in text:
        text = Path(text).name
    return re.sub(r"[^\w.+-]", "_", text)
