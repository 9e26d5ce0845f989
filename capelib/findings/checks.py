"""Every published number against the data at hand.

How each is computed stands in `data/published/checks.toml`, not in code.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from inspect import signature
from typing import Any

from capelib.dataset import Dataset
from capelib.errors import DataError, ParameterError, TooFewCases
from capelib.findings.ledger import Published, ledger
from capelib.findings.relations import (
    CONSISTENT,
    CONTRADICTION,
    DIFFERENT_EDITIONS,
    computed,
    relations,
)
from capelib.findings.verdicts import (
    NOT_REPRODUCED,
    REPRODUCED,
    Verdict,
    Verdicts,
    is_the_vintage,
    judge,
    judge_sum,
)
from capelib.paths import project_folder
from capelib.progress import progress
from capelib.questions import ledger_numbers
from capelib.vocabulary.codebook import unknown

# `function = "tallies.share"` in checks.toml means `share` of capelib/questions/ledger_numbers.py,
# which users know as `cape.tallies.share`. All functions there can be named in this way.
ANALYSES = {"tallies": ledger_numbers}


@dataclass(frozen=True)
class Check:
    """How is a published number computed?

    Attributes
    ----------
    function : str
        Such as "tallies.number", of a table of incidents; "" where no such table gives the number.
    expression : str
        Other published numbers of the same state of the data that give it, as in relations.csv; ""
        for none.
    where : Mapping
        Conditions for `Dataset.where`.
    elsewhere : Mapping
        More conditions, for another dataset than the very vintage.
    arguments : Mapping
        Of the function.
    reading : str
        Which reading of the publication, where there is more than one.
    assumes : str
        What the publication leaves open and the check decides.
    pattern : bool
        May another dataset than the very vintage speak to it?
    searched : str
        How the search of a collection sets the number, where it does: then it is shown, not judged.
    needs : str
        The data that the number needs.
    """

    function: str = ""
    expression: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reading: str = ""
    assumes: str = ""
    pattern: bool = False
    searched: str = ""
    needs: str = ""


@cache
def checks() -> dict[str, tuple[Check, ...]]:
    """How is every finding checked?

    Returns
    -------
    dict
        By finding, in the order of the ledger: one check for each reading of the publication.

    Raises
    ------
    DataError
        Where checks.toml is no TOML, names a finding that findings.csv does not hold, or misses
        one.

    Examples
    --------
    >>> [check.reading for check in checks()["fa2022-autoc-share-2014-2020"]]
    ['pooled over the years', 'mean of the yearly shares']
    """
    path = project_folder("data") / "published" / "checks.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"checks.toml: {error}") from None
    stated = content["check"]
    needs_for = content["needs_for"]
    lost = (set(stated) | set(needs_for)) - set(ledger())
    if lost:
        raise DataError(f"checks.toml: no finding {sorted(lost)[0]!r} in findings.csv")
    by_finding = {}
    for key, claim in ledger().items():
        release = claim.vintage or claim.dataset
        needs = (
            needs_for.get(key)
            or content["needs_of"].get(claim.publication)
            or content["needs"].get(release)
        )
        if not needs:
            raise DataError(f"checks.toml: finding {key!r} needs an entry {release!r} in [needs]")
        entries = stated.get(key, {})
        readings = entries if isinstance(entries, list) and entries else [entries or {}]
        by_finding[key] = tuple(Check(**entry, needs=needs) for entry in readings)
    return by_finding


def check(
    ds: Dataset,
    only: str | Iterable[str] | None = None,
    known: Mapping[str, Published] | None = None,
    **overrides: Any,
) -> Verdicts:
    """Which published numbers hold, on the data at hand?

    Parameters
    ----------
    ds
        From `cape.load`. Where the whole of it is declared to be a vintage
        (`cape.load(file, vintage="fh-2022")`), the numbers of that vintage are recomputed:
        "reproduced" or "not reproduced". Otherwise another dataset speaks to the same question,
        with an interval; incidents coded from the publication itself (and, for CAPE's numbers, from
        CAPE's own pages) are then left out.
    only
        Keys of findings; all where None.
    known
        Other numbers in place of the ledger's (to see what a falsified one would do).
    **overrides
        Arguments for the functions that take them: measure="row", cutoff=1 for another rule of
        "authoritarian".

    Returns
    -------
    Verdicts
        `.frame` has one row a finding and reading. Of the readings of a vintage's own number the
        one that gives it is kept.

    Raises
    ------
    ParameterError
        For an unknown key, and for an override that no function asked for takes.

    Examples
    --------
    >>> import capelib as cape
    >>> verdict = check(cape.load(), ["fa2022-autoc-share-2021"])[0]
    >>> verdict.verdict, verdict.here
    ('set by the search', '59 % [43, 74], n = 115')
    """
    numbers = ledger() if known is None else ledger() | dict(known)
    wanted = _wanted(only, numbers)
    _refuse_unused(overrides, wanted)
    verdicts = []
    fits = _fits(wanted, numbers)
    for key in progress(wanted, "published numbers"):
        fit, relation_ids = fits[key]
        for verdict in _verdicts(ds, numbers[key], numbers, overrides):
            verdicts.append(replace(verdict, arithmetic=fit, relations=";".join(relation_ids)))
    return Verdicts(verdicts)


def _wanted(only: str | Iterable[str] | None, numbers: Mapping[str, Published]) -> list[str]:
    """The keys of the findings to check."""
    if only is None:
        return list(numbers)
    wanted = [only] if isinstance(only, str) else list(only)
    for key in wanted:
        if key not in numbers:
            statements = {name: claim.statement for name, claim in numbers.items()}
            raise ParameterError(unknown("finding", key, statements))
    return wanted


def _refuse_unused(overrides: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """Raises ParameterError for an override that no function of the wanted findings takes."""
    accepted: set[str] = set()
    for key in wanted:
        for how in checks()[key]:
            if how.function:
                accepted |= set(signature(_function(how.function)).parameters)
    if unused := set(overrides) - accepted:
        raise ParameterError(unknown("override", min(unused), sorted(accepted - {"incidents"})))


def _verdicts(
    ds: Dataset,
    claim: Published,
    numbers: Mapping[str, Published],
    overrides: Mapping[str, Any],
) -> list[Verdict]:
    """The verdicts on a finding: one a reading, or the one by which its vintage gives it."""
    verdicts = []
    for how in checks()[claim.finding_id]:
        if how.expression and not (how.function and is_the_vintage(claim, ds.info)):
            verdicts.append(_of_a_sum(ds, claim, how, numbers))
        else:
            verdicts.append(_verdict(ds, claim, how, overrides))
    of_vintage = [each for each in verdicts if each.verdict in (REPRODUCED, NOT_REPRODUCED)]
    if of_vintage:
        reproduced = [each for each in of_vintage if each.verdict == REPRODUCED]
        return (reproduced or of_vintage)[:1]
    return [each for each in verdicts if each.made_by] or verdicts[:1]


def _of_a_sum(
    ds: Dataset, claim: Published, how: Check, numbers: Mapping[str, Published]
) -> Verdict:
    """The verdict that other published numbers allow."""
    verdict = judge_sum(claim, ds.info, computed(how.expression, numbers), how.assumes)
    return replace(verdict, reading=how.reading, made_by=how.expression)


def _verdict(ds: Dataset, claim: Published, how: Check, overrides: Mapping[str, Any]) -> Verdict:
    """The verdict on a finding in one reading."""
    is_vintage = is_the_vintage(claim, ds.info)
    if not how.function or not (is_vintage or how.pattern):
        beyond = " (a table of incidents as read here does not hold it)" if is_vintage else ""
        return judge(claim, ds.info, needs=how.needs + beyond)
    function = _function(how.function)
    accepted = signature(function).parameters
    overridden = {name: value for name, value in overrides.items() if name in accepted}
    arguments = dict(how.arguments) | overridden
    conditions = dict(how.where) if is_vintage else dict(how.where) | dict(how.elsewhere)
    part = ds.where(**conditions)
    rows = part.incidents
    if not is_vintage:
        rows = rows[~rows["source_id"].isin(_circular(ds, claim))]
    made_by = _made_by(how.function, arguments, part, is_vintage)
    try:
        tally = function(rows, **arguments)
    except TooFewCases as reason:
        return judge(
            claim, ds.info, made_by, reading=how.reading, needs=how.needs, empty=str(reason)
        )
    verdict = judge(claim, ds.info, made_by, tally, how.reading, how.needs, searched=how.searched)
    if how.assumes:
        verdict = replace(verdict, reason=f"{verdict.reason}; {how.assumes}")
    return verdict


def _circular(ds: Dataset, claim: Published) -> set[str]:
    """Sources that cannot test a number because it comes from them.

    These are the publication itself and, for CAPE's numbers, CAPE's pages.
    """
    circular = ds.sources["url"].isin([claim.url, claim.address])
    if claim.dataset in ("cape", "lemon"):
        circular |= ds.sources["kind"] == "cape"
    return set(ds.sources.loc[circular, "source_id"])


def _made_by(function: str, arguments: Mapping[str, Any], part: Dataset, is_vintage: bool) -> str:
    """The function with its arguments and the rows that it took, in words."""
    inner = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    conditions = list(part.info.filters)
    if not is_vintage:
        conditions.append("without the publication's own pages")
    return f"{function}({inner})" + (f" of {'; '.join(conditions)}" if conditions else "")


def _function(name: str) -> Callable[..., Any]:
    """The function that checks.toml names, such as "tallies.number"."""
    module, _, function = name.partition(".")
    try:
        return getattr(ANALYSES[module], function)
    except (KeyError, AttributeError):
        raise DataError(f"checks.toml: no function {name!r}") from None


def _fits(
    wanted: Sequence[str], numbers: Mapping[str, Published]
) -> dict[str, tuple[str, list[str]]]:
    """For each finding: does it fit the other published numbers, and which relations say so?"""
    against: dict[str, list[str]] = {}
    editions: dict[str, list[str]] = {}
    consistent: dict[str, list[str]] = {}
    for relation in relations(numbers):
        if relation.verdict == CONTRADICTION:
            for key in set(relation.in_doubt):
                against.setdefault(key, []).append(relation.relation_id)
        if relation.verdict == DIFFERENT_EDITIONS:
            for key in set(relation.finding_ids):
                editions.setdefault(key, []).append(relation.relation_id)
        if relation.verdict == CONSISTENT:
            for key in set(relation.finding_ids):
                consistent.setdefault(key, []).append(relation.relation_id)
    fits: dict[str, tuple[str, list[str]]] = {}
    for key in wanted:
        if key in against:
            fits[key] = (CONTRADICTION, against[key])
        elif key in editions:
            fits[key] = (DIFFERENT_EDITIONS, editions[key])
        elif key in consistent:
            fits[key] = (CONSISTENT, consistent[key])
        else:
            fits[key] = ("", [])
    return fits
