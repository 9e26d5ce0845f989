"""Parameters of notebooks: read from their tagged cell, and checked before a kernel starts."""

import ast
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from capelib.errors import CapeError, ParameterError
from capelib.files import cells
from capelib.paths import project_folder
from capelib.vocabulary.codebook import PUBLIC_RECORD, codebook, codes, spelt, unknown

EVERY = "all"  # every origin, every measure
_STATES = ("origin", "exclude_host", "exclude_origin")
_SEVERAL = ("exclude_host", "exclude_origin")  # these may name several states: RUS+TUR
_CODED = {"measure": "measure", "regime_measure": "regime_measure"}
_SPELT = {
    **{name: name for name in ("unit", "model", "vintage", "edition")},
    "cutoff": "regime_value",
}


COMPUTED = object()  # a default that only the notebook can work out, such as `2 * YEARS`
_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
_PLAIN = {"int": int, "float": float, "bool": bool, "str": str}
# papermill writes any other value into the notebook as a text, and says nothing.
_PASSED = (*_PLAIN, "list", "dict", "None", "Any", "object", "Literal")


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameter cell.

    Attributes
    ----------
    name : str
    kind : str
        Its type as written, such as int, list[str] or str | None; else that of its default.
    default : Any
        `COMPUTED` where it is no number, text, list or dict.
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
        The notebook's file. A line of its tagged cell is `name: type = value  # comment`, or
        without a type; whatever else stands there is no parameter.

    Returns
    -------
    dict
        The parameters by name; none without such a cell. It is read with `ast`; nothing is run.

    Raises
    ------
    CapeError
        For a cell that is not Python, and for a line like `x: False` (it would be an annotation,
        and the variable would never exist).
    """
    tagged = [
        "".join(cell["source"])
        for cell in cells(notebook)
        if "parameters" in cell.get("metadata", {}).get("tags", [])
    ]
    source = tagged[0] if tagged and not tagged[0].lstrip().startswith("%%") else ""
    return dict(_declared_in(source, notebook.name))


@lru_cache(maxsize=64)
def _declared_in(source: str, name: str) -> dict[str, Parameter]:
    """The parameters that a cell declares; kept, since each run of a sweep asks."""
    try:
        nodes = ast.parse(_MAGIC.sub("", source)).body
    except SyntaxError as error:
        raise CapeError(f"{name}, parameter cell, line {error.lineno}: {error.msg}") from None
    lines = source.splitlines()
    parameters = {}
    for node in nodes:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(target, ast.Name):
            continue
        if node.value is None:
            raise CapeError(
                f"{name}, parameter cell, line {node.lineno}: "
                "expected `name: type = value  # comment`"
            )
        default = _literal(node.value)
        kind = "Any" if default in (None, COMPUTED) else type(default).__name__
        if isinstance(node, ast.AnnAssign):
            kind = ast.unparse(node.annotation).strip("'\"")
        after_value = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
        comment = after_value.partition("#")[2].strip()
        parameters[target.id] = Parameter(target.id, kind, default, comment)
    return parameters


def _literal(node: ast.expr) -> Any:
    """The value of a default that can be passed on; else COMPUTED."""
    try:
        value = ast.literal_eval(node)
        json.dumps(value)
    except (ValueError, TypeError):
        return COMPUTED
    return COMPUTED if isinstance(value, tuple) else value


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
        Naming the parameter, its type and the text; for a type that cannot be passed, what to do.

    Examples
    --------
    >>> parse(Parameter("stages", "list[int]", [2, 3], ""), "1,2,3")
    [1, 2, 3]
    >>> parse(Parameter("note", "str | None", None, ""), "None")
    """
    kinds = _alternatives(parameter.kind)
    for kind in kinds:
        if kind.partition("[")[0] not in _PASSED:
            raise ParameterError(
                f"parameter {parameter.name} is of type {parameter.kind}, which cannot be passed: "
                "declare it as str (or as a list) and convert it in the next cell"
            )
        try:
            return _value(kind, text)
        except (ValueError, SyntaxError):
            continue
    raise ParameterError(f"parameter {parameter.name} must be {parameter.kind}, not {text!r}")


def _alternatives(kind: str) -> list[str]:
    """The types that a type allows, None first: `str | None`, `Optional[int]`."""
    kind = kind.removeprefix("typing.")
    if kind.startswith("Optional["):
        kind = f"{kind[9:-1]} | None"
    kinds = [part.strip() for part in kind.split(" | ")]
    return sorted(kinds, key=lambda each: each != "None")


def _value(kind: str, text: str) -> Any:
    """A text as a value of a type; ValueError or SyntaxError where it is none."""
    text = text.strip()
    outer, _, element = kind.removesuffix("]").partition("[")
    if outer == "list":
        parts = text.strip("[] ").replace("+", ",").split(",")
        return [_value(element or "Any", part) for part in parts if part.strip()]
    if outer == "bool":
        if text.lower() not in ("true", "yes", "false", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "yes")
    if outer == "str":
        return text.strip("'\"")
    if outer in _PLAIN:
        return _PLAIN[outer](text)
    try:
        value = ast.literal_eval(text)
        json.dumps(value)
    except (ValueError, SyntaxError, TypeError):
        value = text
    wrong = {
        "dict": not isinstance(value, dict),
        "None": value is not None,
        "Literal": value not in ast.literal_eval(f"[{element}]") if outer == "Literal" else False,
    }
    if wrong.get(outer):
        raise ValueError(text)
    return value


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
        Every parameter with its value, but for a default that only the notebook can work out;
        words for a state or a code are made the code.

    Raises
    ------
    ParameterError
        For an unknown name, and for a text that is not of the declared type.
    """
    known = declared(notebook)
    for name in given:
        if not known:
            raise ParameterError(
                f"{notebook.stem} has no parameters: tag the cell that sets {name} `parameters`"
            )
        if name not in known or name == "out":
            choice = [key for key in known if key != "out"]
            raise ParameterError(f"{notebook.stem}: {unknown('parameter', name, choice)}")
    return {
        name: _as_code(name, parse(parameter, given[name])) if name in given else parameter.default
        for name, parameter in known.items()
        if name in given or parameter.default is not COMPUTED
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
        return spelt(value, codes(_SPELT[name]))
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


def in_words(parameters: dict[str, Any], names: Iterable[str]) -> str:
    """What do some parameters of a run say, in words? Codes as states and the codebook are named.

    Parameters
    ----------
    parameters
        The values of a run.
    names
        Those to name. A regime measure and its cut-off are one definition.

    Examples
    --------
    >>> in_words({"regime_measure": "fiw", "cutoff": "NF"}, ["regime_measure", "cutoff"])
    'Freedom in the World: Not Free'
    >>> in_words({"origin": "TJK", "first_year": 2010}, ["origin", "first_year"])
    'Tajikistan, first year 2010'
    >>> in_words({"stages": [2, 3], "doubtful": False}, ["stages", "doubtful"])
    'stages: Held and Exile ended or attacked, without doubtful cases'
    """
    definition = _definition(parameters)
    parts = [
        definition if definition and name in _DEFINITION else _in_words(name, parameters.get(name))
        for name in names
    ]
    return ", ".join(dict.fromkeys(parts))


_DEFINITION = ("regime_measure", "cutoff")


def _definition(parameters: dict[str, Any]) -> str:
    """The definition of "authoritarian" of a run; "" where it has none."""
    from capelib.reference import regimes  # pandas

    with suppress(KeyError, ParameterError, TypeError, AttributeError):  # parameters of a user's
        return regimes.sentence(*(parameters[name] for name in _DEFINITION))
    return ""


def _in_words(name: str, value: Any) -> str:
    """One parameter in words: its label alone where it is a code that says what it is."""
    shown = name.replace("_", " ")
    if name == "doubtful":
        return f"{'with' if value else 'without'} doubtful cases"
    if isinstance(value, bool):
        return f"{shown}: {'yes' if value else 'no'}"
    if name == "dataset":
        from capelib.check.files import shown_name  # a file's name may be that of a person

        return "public record" if value == PUBLIC_RECORD else shown_name(value)
    labels = _labels(name)
    values = value if isinstance(value, list) else str(value).split("+") if labels else [value]
    named = [labels.get(str(each), str(each)) for each in values]
    if value in (EVERY, "") or name in (*_SEVERAL, "stages"):
        return f"{shown}: {' and '.join(named) if value not in ('', []) else 'none'}"
    if all(str(each) in labels for each in values):
        return f"{named[0]} ({value})" if name == "edition" else " and ".join(named)
    text = "+".join(named)
    return f"{shown} {Path(text).name if '/' in text else text}"


def _labels(name: str) -> dict[str, str]:
    """The labels of the codes that a parameter may have."""
    if name in _STATES:
        from capelib.vocabulary.tables import states  # pandas

        return states()
    kind = {"stages": "stage", **_CODED, **_SPELT}.get(name)
    return codes(kind) if kind else {}


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
        if name in known and name != "out" and _differs(value, known[name].default)
    }
    if "dataset" in changed:
        from capelib.check.files import shown_name

        changed["dataset"] = shown_name(changed["dataset"])
    return "".join(f"--{name}={_in_a_name(value)}" for name, value in sorted(changed.items()))


def _differs(value: Any, default: Any) -> bool:
    """Is a value another one than the default? Not a number (nan) is the same as itself here."""
    return value != default and repr(value) != repr(default)


def _in_a_name(value: Any) -> str:
    """A value as part of a folder's name."""
    text = "+".join(map(str, value)) if isinstance(value, list) else str(value)
    if "/" in text or "\\" in text:
        text = Path(text).name
    return re.sub(r"[^\w.+-]", "_", text)
