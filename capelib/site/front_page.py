"""The front page, and the navigation of the whole site."""

from contextlib import suppress
from typing import Any

from capelib.errors import TooFewCases
from capelib.estimators import periods
from capelib.estimators.clusters import cluster_of
from capelib.estimators.shares import authoritarian_hosts
from capelib.findings.bibliography import reference
from capelib.findings.published_hosts import published_shares
from capelib.findings.relations import CONTRADICTION
from capelib.findings.verdicts import NEEDS_DATA, SET_BY_SEARCH
from capelib.loading import PUBLIC_RECORD, load
from capelib.site.collection import Collection, FinishedRun
from capelib.site.explorer_data import ACTS, EARLY, LATE
from capelib.site.markup import WIDE, Page, contents, front_matter, html, render

SECTIONS = (
    "Explorer <explorer/index>",
    "States <states/index>",
    "Published numbers <ledger/index>",
    "Notebooks <notebooks/index>",
    "Figures <figures/index>",
    "Methods <methods/index>",
    "Data <data/index>",
    "About <about/index>",
)
# Five questions: a notebook, and the figure that shows its answer.
QUESTIONS = {
    "04_authoritarian_hosts": "shares",
    "03_tajik_targeting": "trend",
    "05_stages": "composition",
    "06_relatives": "shares",
    "08_interpol": "first",
}
CLAIM = "fa2022-autoc-share-2021"  # "74 percent"
CLAIMED_IN = "04_authoritarian_hosts"


def pages(collection: Collection) -> list[Page]:
    """The front page."""
    judged = {each.finding_id for each in collection.verdicts if each.verdict != NEEDS_DATA}
    groups = collection.by_notebook
    first = [groups[name][0] for name in QUESTIONS if name in groups]
    body = render(
        "front",
        questions=[_question(run) for run in first],
        others=[runs[0] for name, runs in groups.items() if name not in QUESTIONS],
        claim=claim(collection),
        contradictions=contradictions(collection),
        total=len({each.finding_id for each in collection.verdicts}),
        judged=len(judged),
        edition=collection.edition,
    )
    title = "# How states reach their critics abroad\n"
    sections = [each for each in SECTIONS if collection.verdicts or "ledger/" not in each]
    return [Page("index.md", front_matter(**WIDE) + title + html(body) + contents(*sections))]


def contradictions(collection: Collection) -> list[dict[str, Any]]:
    """The relations between published numbers that cannot hold, and whose numbers they compare.

    A sentence that two publications print stands once. Without notebook 12 there is none.
    """
    if not collection.verdicts:
        return []
    made = []
    for relation in collection.relations:
        if relation.verdict == CONTRADICTION and not relation.same_as:
            numbers = [collection.published[key] for key in relation.finding_ids]
            keys = [each.publication for each in numbers]
            made.append(
                {
                    "statement": relation.statement,
                    "sides": relation.sides,
                    "numbers": len(numbers),
                    "second_hand": sum(each.evidence == "secondary" for each in numbers),
                    "publications": {key: reference(key) for key in dict.fromkeys(keys)},
                }
            )
    return made


def _question(run: FinishedRun) -> dict[str, Any]:
    """A question with its answer: the first sentence, then the rest."""
    first, _, rest = run.answer.get("answer", "").partition(". ")
    figure = QUESTIONS[run.notebook]
    return {
        "run": run,
        "heading": run.heading[3:],
        "first": first + "." * bool(rest),
        "rest": rest,
        "figure": figure if figure in run.figures else "",
        "data": run.answer.get("data", ""),
    }


def claim(collection: Collection) -> dict[str, Any] | None:
    """Does the number that is quoted most hold here, and what if Russia is left out?

    Parameters
    ----------
    collection
        From `collect`; without the run of notebook 04 nothing is said.

    Returns
    -------
    dict or None
        `publication`, `statement`, `published`, `here`, `verdict` and `reason` of the run's
        verdict, whether that leaves it `open`, `change` of its answer, its `run`, `without`: the
        two shares and their change with the host Russia left out, and the `printed` numbers.
    """
    for run in collection.by_notebook.get(CLAIMED_IN, [])[:1]:
        for verdict in run.answer.get("verdicts", []):
            if verdict["finding_id"] == CLAIM:
                estimates = {row["estimate"]: row for row in run.answer["estimates"]}
                return {
                    "publication": verdict["publication"],
                    "statement": verdict["statement"],
                    "published": verdict["published"],
                    "here": verdict["here"],
                    "verdict": verdict["verdict"],
                    "reason": verdict["reason"],
                    "open": verdict["verdict"] == SET_BY_SEARCH,
                    "printed": published_shares(),
                    "change": estimates["change, late minus early"],
                    "without": _without("RUS", run),
                    "run": run,
                }
    return None


def _without(host: str, run: FinishedRun) -> Any:
    """The change of the share with a host left out; None with too few cases."""
    ds = load(PUBLIC_RECORD, edition=run.answer["edition"]).where(stage=ACTS, host_not=host)
    joined = ds.joined()
    marked = authoritarian_hosts(joined.assign(cluster=cluster_of(joined)))
    with suppress(TooFewCases):
        return periods.change(marked, EARLY, LATE)
    return None
