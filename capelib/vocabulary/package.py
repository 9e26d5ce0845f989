"""data/datapackage.json: the shipped tables described for other tools.

Made from the codebook and the files alone.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from capelib.paths import project_folder
from capelib.vocabulary.codebook import codebook, codes

_LICENCES = {
    "CC-BY-4.0": (
        "Creative Commons Attribution 4.0 International",
        "https://creativecommons.org/licenses/by/4.0/",
    ),
    "CC-BY-SA-4.0": (
        "Creative Commons Attribution-ShareAlike 4.0 International",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
}
# Every other type of the codebook is text with rules.
_FIELD_TYPES = {"integer": "integer", "year": "year", "number": "number"}
_EDTF = "http://id.loc.gov/datatypes/edtf/EDTF"


def datapackage() -> dict[str, Any]:
    """What does the built-in data consist of?

    Returns
    -------
    dict
        The content of data/datapackage.json, a Frictionless Data Package. Types, rules, keys and
        descriptions come from data/codebook.toml, sizes and checksums from the files, so that
        nothing in it is written by hand. The same files give the same dictionary, in the
        codebook's order.

    References
    ----------
    Data Package standard, https://datapackage.org.

    Examples
    --------
    >>> [resource["name"] for resource in datapackage()["resources"]][:3]
    ['incidents', 'exiles', 'sources']
    """
    book = codebook()
    about = book["dataset"]
    sources = {
        source["title"]: source
        for entry in book["table"].values()
        for source in entry.get("source", [])
    }
    return {
        "name": about["name"],
        "title": about["title"],
        "version": about["edition"],
        "description": about["description"],
        "licenses": _licences(about["licence"]),
        "contributors": [{"title": about["contributors"], "role": "author"}],
        "sources": list(sources.values()),
        "resources": [_resource(name, entry) for name, entry in book["table"].items()],
    }


def write(path: Path | None = None) -> Path:
    """Write data/datapackage.json, or `path`, anew; the same data gives the same bytes.

    Returns
    -------
    Path
        Of the file that was written.
    """
    path = path or project_folder("data") / "datapackage.json"
    path.write_text(text(), encoding="utf-8", newline="\n")
    return path


def text() -> str:
    """What stands in data/datapackage.json? JSON, indented, ending with a newline."""
    return json.dumps(datapackage(), indent=2, ensure_ascii=False) + "\n"


def _licences(name: str) -> list[dict[str, str]]:
    title, address = _LICENCES[name]
    return [{"name": name, "title": title, "path": address}]


def _resource(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    content = (project_folder("data") / entry["path"]).read_bytes()
    return {
        "name": name,
        "path": entry["path"],
        "title": entry["title"],
        "description": entry["description"],
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        **({"licenses": _licences(entry["licence"])} if "licence" in entry else {}),
        **({"sources": entry["source"]} if "source" in entry else {}),
        "schema": _schema(name, entry),
    }


def _schema(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    key = entry.get("key", [])
    schema: dict[str, Any] = {
        "fields": [
            _field(column, spec, unique=key == [column]) for column, spec in entry["column"].items()
        ],
        "missingValues": [""],
    }
    if key:
        schema["primaryKey"] = key
    links = []
    for column, spec in entry["column"].items():
        if "references" in spec or spec["type"] == "state":
            links.append(_link(name, column, spec))
    return schema | ({"foreignKeys": links} if links else {})


def _field(column: str, spec: dict[str, Any], unique: bool) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column,
        "type": _FIELD_TYPES.get(spec["type"], "string"),
        "description": spec["description"],
    }
    if spec["type"] == "url":
        field["format"] = "uri"
    if spec["type"] == "edtf":
        field["rdfType"] = _EDTF
    rules: dict[str, Any] = {}
    if spec.get("required"):
        rules["required"] = True
    if unique:
        rules["unique"] = True
    if pattern := spec.get("pattern"):
        # Readers add ^ and $ to its ends, which without brackets would bind to one alternative.
        rules["pattern"] = f"({pattern})" if "|" in pattern else pattern
    if spec["type"] == "yes":
        rules["enum"] = ["yes"]
    if spec["type"] == "code":
        rules["enum"] = [*codes(spec["codes"]), *spec.get("also", [])]
    return field | ({"constraints": rules} if rules else {})


def _link(name: str, column: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The column of another table in which each value must occur: for a state that of states."""
    resource, field = spec.get("references", "states.iso3").split(".")
    return {
        "fields": [column],
        "reference": {"resource": "" if resource == name else resource, "fields": [field]},
    }


if __name__ == "__main__":
    print(f"wrote {write()}")
