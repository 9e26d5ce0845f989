"""The ledger of published numbers, the relations between them, and verdicts on each."""

from capelib.findings.bibliography import address, publisher_address, reference
from capelib.findings.checks import check
from capelib.findings.departures import Follows, follows
from capelib.findings.ledger import Published, cite, claim, ledger, published
from capelib.findings.relations import (
    Relation,
    between,
    evaluate,
    relations,
    relations_frame,
)
from capelib.findings.verdicts import MEANING, Verdict, Verdicts, by_finding, chosen, judge, summary

__all__ = [
    "MEANING",
    "Follows",
    "Published",
    "Relation",
    "Verdict",
    "Verdicts",
    "address",
    "between",
    "by_finding",
    "check",
    "chosen",
    "cite",
    "claim",
    "evaluate",
    "follows",
    "judge",
    "ledger",
    "published",
    "publisher_address",
    "reference",
    "relations",
    "relations_frame",
    "summary",
]


def __dir__() -> list[str]:
    return __all__
