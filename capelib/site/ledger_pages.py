"""The ledger as pages: every published number with its verdict, and a page for each publication."""

import inspect
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from capelib.figures.published_findings import interval_plot
from capelib.findings.bibliography import address, entry, publisher_address, reference
from capelib.findings.checks import ANALYSES, Check, checks
from capelib.findings.ledger import Published
from capelib.findings.relations import (
    CONSISTENT,
    CONTRADICTION,
    DIFFERENT_EDITIONS,
    Relation,
    between,
)
from capelib.findings.verdicts import MEANING, NEEDS_DATA, Verdict
from capelib.site.collection import LEDGER_NOTEBOOK, Collection
from capelib.site.markup import FRAME, WIDE, Page, contents, front_matter, html, render
from capelib.site.method_pages import methods

OF_RELATIONS = {
    CONTRADICTION: "no numbers within the published intervals make a relation to other published "
    "numbers true",
    DIFFERENT_EDITIONS: "a relation to other published numbers fails, but both sides can be true "
    "as printed: another edition or state of the data, another base or time",
}


@dataclass(frozen=True)
class Reading:
    """A verdict on a published number in one reading, with how it is computed in words."""

    verdict: Verdict
    plot: Markup
    how: Markup


@dataclass(frozen=True)
class Number:
    """A published number with all that is known of it.

    Attributes
    ----------
    published : Published
    readings : tuple of Reading
    fit : str
        Does it fit the other published numbers? "" where it stands in no relation.
    relations : tuple of Relation
        Those that it stands in.
    notebooks : dict
        Notebooks that set it beside their answer: heading by name. All stand in that of the ledger.
    """

    published: Published
    readings: tuple[Reading, ...]
    fit: str
    relations: tuple[Relation, ...]
    notebooks: dict[str, str]

    @property
    def key(self) -> str:
        """Its key, which is its anchor too."""
        return self.published.finding_id

    @property
    def labels(self) -> list[str]:
        """What the filter of verdicts finds it by."""
        labels = dict.fromkeys(reading.verdict.verdict for reading in self.readings)
        if self.fit in OF_RELATIONS:
            labels[self.fit] = None
        return list(labels)

    @property
    def needs_only(self) -> bool:
        """Can nothing that ships speak to it?"""
        return all(reading.verdict.verdict == NEEDS_DATA for reading in self.readings)


def pages(collection: Collection) -> list[Page]:
    """Which pages show the ledger? All numbers on one, and a page a publication.

    Parameters
    ----------
    collection
        From `collect`; without notebook 12 there is no ledger, and no page.
    """
    if not collection.verdicts:
        return []
    numbers = numbers_of(collection)
    by_publication: dict[str, list[Number]] = {}
    for number in numbers:
        by_publication.setdefault(number.published.publication, []).append(number)
    ordered = dict(sorted(by_publication.items(), key=lambda item: reference(item[0]).casefold()))
    return [
        _ledger(numbers, ordered, collection),
        *(_publication(key, group, collection) for key, group in ordered.items()),
    ]


def numbers_of(collection: Collection) -> list[Number]:
    """Every published number, contradictions first, what nothing can speak to last."""
    by_relation = {relation.relation_id: relation for relation in collection.relations}
    grouped: dict[str, list[Verdict]] = {}
    for verdict in collection.verdicts:
        grouped.setdefault(verdict.finding_id, []).append(verdict)
    beside = _beside(collection)
    numbers = []
    for key, verdicts in grouped.items():
        hows = {how.reading: how for how in checks()[key]}
        readings = [
            Reading(verdict, interval_plot(verdict), in_words(how, verdict))
            for verdict in verdicts
            for how in [hows.get(verdict.reading, checks()[key][0])]
        ]
        ids = [each for each in verdicts[0].relations.split(";") if each]
        numbers.append(
            Number(
                collection.published[key],
                tuple(readings),
                verdicts[0].arithmetic,
                tuple(by_relation[each] for each in ids),
                beside.get(key, {}),
            )
        )
    order = {CONTRADICTION: 0, DIFFERENT_EDITIONS: 1}
    return sorted(numbers, key=lambda number: (order.get(number.fit, 2), number.needs_only))


def _beside(collection: Collection) -> dict[str, dict[str, str]]:
    """By finding, the notebooks that set it beside their answer."""
    beside: dict[str, dict[str, str]] = {}
    for runs in collection.by_notebook.values():
        if runs[0].notebook != LEDGER_NOTEBOOK:
            for row in runs[0].answer.get("verdicts", []):
                beside.setdefault(row["finding_id"], {})[runs[0].name] = runs[0].heading
    return beside


def in_words(how: Check, verdict: Verdict) -> Markup:
    """How is a number computed? In words, with links to the numbers that it follows from.

    Parameters
    ----------
    how
        The entry of checks.toml.
    verdict
        What came out.
    """
    if how.expression and verdict.made_by == how.expression:
        return Markup("From other published numbers: {}.").format(_linked(how.expression))
    if not verdict.made_by:
        return Markup("Not computed: nothing that ships can speak to it.")
    module, _, name = how.function.partition(".")
    question = (inspect.getdoc(getattr(ANALYSES[module], name)) or "").splitlines()[0]
    arguments = "; ".join(
        f"{key.replace('_', ' ')}: {_as_text(value)}" for key, value in how.arguments.items()
    )
    rows = verdict.made_by.partition(") of ")[2]
    parts = [question, f"Counted {arguments}." if arguments else ""]
    parts.append(f"Rows of the public record: {rows}." if rows else "")
    links = [Markup('<a href="../reference/{}.html">cape.{}</a>').format(module, how.function)]
    links += [
        Markup('<a href="../methods/{}.html">{}</a>').format(key, method.title)
        for key, method in methods().items()
        if how.function in method.tallies
    ]
    words = " ".join(part for part in parts if part)
    return Markup("{} Computed by {}.").format(words, Markup("; method: ").join(links))


def _as_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_as_text(each)}" for key, each in value.items())
    if isinstance(value, list):
        return " or ".join(map(str, value))
    return str(value).replace("_", " ")


def _linked(expression: str) -> Markup:
    """An expression with each key of a published number as a link to it."""
    parts = re.split(r"(\b[a-z][a-z0-9]*(?:-[a-z0-9]+)+\b)", expression)
    linked = [
        Markup('<a href="index.html#{0}">{0}</a>').format(part) if odd else escape(part)
        for part, odd in zip(parts, [False, True] * len(parts), strict=False)
    ]
    return Markup("").join(linked)


def _ledger(
    numbers: Sequence[Number], by_publication: dict[str, list[Number]], collection: Collection
) -> Page:
    """The page of all numbers."""
    labels = Counter(label for number in numbers for label in number.labels)
    meanings = OF_RELATIONS | MEANING
    related = between(collection.relations)
    body = render(
        "ledger",
        numbers=numbers,
        published=collection.published,
        verdicts={name: labels[name] for name in meanings if labels[name]},
        meanings=meanings,
        publications={key: len(group) for key, group in by_publication.items()},
        reference=reference,
        failed=[each for each in related if each.verdict == CONTRADICTION],
        editions=[each for each in related if each.verdict == DIFFERENT_EDITIONS],
        total=len(related),
        consistent=CONSISTENT,
        edition=collection.edition,
        run=collection.by_notebook[LEDGER_NOTEBOOK][0],
    )
    text = front_matter(**WIDE) + "# Published numbers: which of them hold?\n" + html(body)
    script = '<script src="../_static/ledger.js"></script>'
    return Page("ledger/index.md", text + html(script) + contents(FRAME))


def _publication(key: str, numbers: Sequence[Number], collection: Collection) -> Page:
    """What a publication says, and what of it holds."""
    own = {number.key for number in numbers}
    related = [each for each in collection.relations if own & set(each.finding_ids)]
    order = (CONTRADICTION, DIFFERENT_EDITIONS, CONSISTENT)
    related.sort(key=lambda relation: order.index(relation.verdict))
    body = render(
        "publication",
        numbers=numbers,
        published=collection.published,
        counts=Counter(label for number in numbers for label in number.labels),
        meanings=OF_RELATIONS | MEANING,
        relations=related,
        address=address(key),
        publisher=publisher_address(key),
        bibtex=entry(key),
        needs_data=NEEDS_DATA,
        contradiction=CONTRADICTION,
    )
    lead = Markup("<p><em>What this publication says, and what of it holds</em></p>\n")
    return Page(f"ledger/{key}.html", lead + body.strip(), title=reference(key))
