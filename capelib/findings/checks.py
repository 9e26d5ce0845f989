"""Every published number against the data at hand. How each is computed stands in `data/published/checks.toml`, not in code."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from inspect import signature
from typing import Any

from capelib.dataset import Dataset
from capelib.errors import DataError, ParameterError, TooFewCases
from capelib.findings.ledger import Published, ledger
from capelib.findings.relations import CONSISTENT, CONTRADICTION, relations
from capelib.findings.verdicts import (
    NOT_REPRODUCED,
    REPRODUCED,
    Verdict,
    Verdicts,
    is_the_vintage,
    judge,
)
from capelib.paths import room
from capelib.questions import ledger_numbers
from capelib.vocabulary.codebook import unknown

ANALYSES = {"tallies": ledger_numbers}  # whose functions checks.toml names


@dataclass(frozen=True)
class Check:
    """How a published number is computed.

    function: of capelib.analysis, such as "tallies.number". where: conditions for `Dataset.where`. elsewhere: conditions more, for
    another dataset than the very vintage. arguments: of the function. reading: which reading of the publication, where there is
    more than one. assumes: what the publication leaves open and the check decides. pattern: may another dataset than the very
    vintage speak to it? needs: the data that the number needs.
    """

    function: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reading: str = ""
    assumes: str = ""
    pattern: bool = False
    needs: str = ""


@cache
def checks() -> dict[str, tuple[Check, ...]]:
    """The checks of every finding, in the order of the ledger: one for each reading of the publication.

    Raises DataError where checks.toml is no TOML, names a finding that the ledger does not hold, or misses one.

    >>> [check.reading for check in checks()["fa2022-autoc-share-2014-2020"]]
    ['pooled over the years', 'mean of the yearly shares']
    """
    text = (room("data") / "published" / "checks.toml").read_text(encoding="utf-8")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"checks.toml: {error}") from None
    stated, needs, own = content["check"], content["needs"], content["needs_for"]
    lost = (set(stated) | set(own)) - set(ledger())
    if lost:
        raise DataError(f"checks.toml: no finding {sorted(lost)[0]!r} in findings.csv")
    found = {}
    for key, claim in ledger().items():
        entries = stated.get(key, {})
        release = claim.vintage or claim.dataset
        if key not in own and release not in needs:
            raise DataError(f"checks.toml: finding {key!r} needs an entry {release!r} in [needs]")
        missing = own.get(key) or needs[release]
        found[key] = tuple(
            Check(**entry, needs=missing)
            for entry in (entries if isinstance(entries, list) else [entries] if entries else [{}])
        )
    return found


def check(
    ds: Dataset,
    only: str | Iterable[str] | None = None,
    known: Mapping[str, Published] | None = None,
    **overrides: Any,
) -> Verdicts:
    """Which published numbers hold, on the data at hand? A verdict on every finding of the ledger, or on some.

    ds: from `cape.load`. Where the whole of it is declared to be a vintage (`cape.load(file, vintage="fh-2022")`), the numbers of
        that vintage are recomputed: "reproduced" or "not reproduced". Otherwise another dataset speaks to the same question, with an
        interval; incidents coded from the publication itself (and, for CAPE's numbers, from CAPE's own pages) are then left out.
    only: keys of findings; all where None. known: other numbers in place of the ledger's (to see what a falsified one would do).
    overrides: arguments for the functions that take them: measure="row", cutoff=1 for another rule of "authoritarian".
    Returns `Verdicts`: `.frame` has one row a finding and reading. Of the readings of a vintage's own number the one that gives it
    is kept. Raises ParameterError for an unknown key, and for an override that no function asked for takes.

    >>> import capelib as cape
    >>> found = check(cape.load(), ["fa2022-autoc-share-2021"])
    >>> found[0].verdict, found[0].here
    ('pattern agrees', '78 % [66, 86], n = 63')
    """
    numbers = ledger() if known is None else ledger() | dict(known)
    wanted = list(numbers) if only is None else [only] if isinstance(only, str) else list(only)
    for key in wanted:
        if key not in numbers:
            raise ParameterError(
                unknown("finding", key, {name: claim.statement for name, claim in numbers.items()})
            )
    taken = {
        name
        for key in wanted
        for each in checks()[key]
        if each.function
        for name in signature(_function(each.function)).parameters
    }
    if spare := set(overrides) - taken:
        raise ParameterError(unknown("override", sorted(spare)[0], sorted(taken - {"incidents"})))
    fits = _arithmetic(numbers)
    found = [verdict for key in wanted for verdict in _verdicts(ds, numbers[key], overrides)]
    return Verdicts(
        [
            replace(
                verdict,
                arithmetic=fits[verdict.finding_id][0],
                relations=fits[verdict.finding_id][1],
            )
            for verdict in found
        ]
    )


def _verdicts(ds: Dataset, claim: Published, overrides: Mapping[str, Any]) -> list[Verdict]:
    found = [_verdict(ds, claim, each, overrides) for each in checks()[claim.finding_id]]
    judged = [verdict for verdict in found if verdict.verdict in (REPRODUCED, NOT_REPRODUCED)]
    if judged:
        return [next((verdict for verdict in judged if verdict.verdict == REPRODUCED), judged[0])]
    return [verdict for verdict in found if verdict.made_by] or found[:1]


def _verdict(ds: Dataset, claim: Published, each: Check, overrides: Mapping[str, Any]) -> Verdict:
    own = is_the_vintage(claim, ds.info)
    if not each.function or not (own or each.pattern):
        beyond = " (a table of incidents as read here does not hold it)" if own else ""
        return judge(claim, ds.info, needs=each.needs + beyond)
    function = _function(each.function)
    arguments = dict(each.arguments) | {
        name: value for name, value in overrides.items() if name in signature(function).parameters
    }
    where = dict(each.where) | ({} if own else dict(each.elsewhere))
    part = ds.where(**where)
    rows = (
        part.incidents
        if own
        else part.incidents[~part.incidents["source_id"].isin(_circular(ds, claim))]
    )
    tally, empty = None, ""
    try:
        tally = function(rows, **arguments)
    except TooFewCases as reason:
        empty = str(reason)
    found = judge(
        claim,
        ds.info,
        _made_by(each.function, arguments, part, own),
        tally,
        each.reading,
        each.needs,
        empty,
    )
    return (
        replace(found, reason=f"{found.reason}; {each.assumes}")
        if each.assumes and tally is not None
        else found
    )


def _circular(ds: Dataset, claim: Published) -> set[str]:
    """Sources that cannot test a number, because it comes from them: the publication itself and, for CAPE's numbers, CAPE's pages."""
    own = ds.sources["url"].isin([claim.url, claim.address])
    if claim.dataset in ("cape", "lemon"):
        own |= ds.sources["kind"] == "cape"
    return set(ds.sources.loc[own, "source_id"])


def _made_by(function: str, arguments: Mapping[str, Any], part: Dataset, own: bool) -> str:
    """The function with its arguments and the rows that it took, in words."""
    inner = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    kept = "; ".join(
        [*part.info.filters, *([] if own else ["without the publication's own pages"])]
    )
    return f"{function}({inner})" + (f" of {kept}" if kept else "")


def _function(name: str) -> Any:
    module, _, function = name.partition(".")
    try:
        return getattr(ANALYSES[module], function)
    except (KeyError, AttributeError):
        raise DataError(f"checks.toml: no function {name!r}") from None


def _arithmetic(numbers: Mapping[str, Published]) -> dict[str, tuple[str, str]]:
    """For each finding: does it fit the other published numbers, and which relations say so?"""
    fits: dict[str, tuple[str, str]] = {}
    every = relations(numbers)
    for key in numbers:
        against = [
            found.relation_id
            for found in every
            if found.verdict == CONTRADICTION and key in found.in_doubt
        ]
        among = [
            found.relation_id
            for found in every
            if found.verdict == CONSISTENT and key in found.finding_ids
        ]
        fits[key] = (
            (CONTRADICTION, ";".join(against))
            if against
            else (CONSISTENT, ";".join(among))
            if among
            else ("", "")
        )
    return fits
