"""The answer on corridors in a few sentences: what needs no exposure first, counts after it."""

from math import isnan

import pandas as pd

from capelib.questions.host_acts import HostActs
from capelib.questions.membership_shares import ANY, ORGANISATIONS
from capelib.questions.wording import bound, two_digits
from capelib.vocabulary.tables import states

WIDEST = 100.0  # an interval whose ends differ by more tells nothing


def _members(rows: pd.DataFrame) -> str:
    """Fellow members of what? One organisation may hold them all: then the others add nothing.

    >>> _members(pd.DataFrame({"CIS": [True], "CSTO": [False], "SCO": [True], ANY: [True]}))
    'CIS, CSTO or SCO (all are of CIS)'
    """
    listed = f"{', '.join(ORGANISATIONS[:-1])} or {ORGANISATIONS[-1]}"
    total = int(rows[ANY].sum())
    counts = {name: int(rows[name].sum()) for name in ORGANISATIONS}
    name = max(counts, key=lambda organisation: counts[organisation])
    if not total:
        return listed
    most = "all are" if counts[name] == total else f"{counts[name]} of {total} acts there are"
    return f"{listed} ({most} of {name})"


def odds_sentence(acts: HostActs, stages: str) -> str:
    """Are acts that need the host more frequent, beside the others, in fellow-member states?

    Parameters
    ----------
    acts
        From `host_acts`.
    stages
        Those that need the host, in words ("stages 2, 3").
    """
    if acts.fit is None:
        return f"The acts of {stages} cannot be compared with the others: {acts.why}."
    ratio = acts.ratio
    kinds = acts.rows["needs_host"].value_counts()
    return (
        f"The odds that an act on record is of {stages} rather than another stage are "
        f"{_ratio(ratio)} as high in states that were fellow members of {_members(acts.rows)} that "
        f"year as elsewhere (n = {kinds[True]} and {kinds[False]}; origin, year and the host's "
        "regime held equal, clustered by host): "
        f"{_verdict(ratio)}. {_under_choices(acts.choices)}This needs no count of exiles: how many "
        "live where cancels, if both kinds of act come to light equally often."
    )


def _verdict(ratio: dict[str, float]) -> str:
    """What the interval allows one to say."""
    if isnan(ratio["low"]):
        return "one host decides it"
    if ratio["low"] > 1:
        return "they are higher there"
    if ratio["high"] < 1:
        return "they are lower there"
    return "that they differ is not established"


def _under_choices(choices: pd.DataFrame) -> str:
    """The range of the odds ratio, and how many intervals hold 1."""
    others = choices[(choices["choice"] != "as chosen") & choices["low"].notna()]
    if others.empty:
        return ""
    least, most = two_digits(others["ratio"].min()), two_digits(others["ratio"].max())
    hold = int(((others["low"] <= 1) & (others["high"] >= 1)).sum())
    return (
        f"Under {len(others)} other choices it runs from {least} to {most}, and {hold} of the "
        "intervals hold 1. "
    )


def counts_sentence(exposures: pd.DataFrame) -> str:
    """What do counts alone show, and what is left of it beside acts that need no host?

    Parameters
    ----------
    exposures
        From `exposure_ratios`.
    """
    plain = _model(exposures, "none", False)
    if plain is None:
        return "Counts: too few cases for a model."
    parts = [
        f"Counts show where exiles are: {_ratio(plain)} as many in fellow-member states"
        f"{_beside(plain)}"
    ]
    soviet = _model(exposures, "none", True)
    if soviet is not None:
        parts.append(f"with former Soviet hosts set apart {_ratio(soviet)}{_beside(soviet)}")
    people = _model(exposures, "offset", True)
    if people is not None:
        words = f"per displaced person that UNHCR counts there {_ratio(people)}"
        vague = people["high"] >= WIDEST * people["low"]
        parts.append(words + (", which tells nothing" if vague else ""))
    return "; ".join(parts) + "." + _one_host(plain)


def _model(exposures: pd.DataFrame, exposure: str, soviet: bool) -> pd.Series | None:
    """A row of `exposure_ratios`; None without an estimate."""
    row = exposures[(exposures["exposure"] == exposure) & (exposures["soviet"] == soviet)].iloc[0]
    return None if isnan(row["ratio"]) else row


def _one_host(row: pd.Series) -> str:
    """Why there is no interval; "" where there is one."""
    if not row["host"]:
        return ""
    name = states().get(row["host"], row["host"])
    return (
        f" No interval: {name} alone holds {100 * row['host_share']:.0f} % of the acts in "
        f"{row['host_among']}, and one host cannot show how hosts vary."
    )


def _beside(row: pd.Series) -> str:
    """The same ratio of acts of the other stages."""
    if isnan(row["beside"]):
        return ""
    numbers = {"ratio": row["beside"], "low": row["beside_low"], "high": row["beside_high"]}
    return f" (other stages: {_ratio(numbers)})"


def _ratio(numbers: dict[str, float] | pd.Series) -> str:
    """A ratio with its interval, if any; ends that are hopelessly far off are not spelt out.

    >>> _ratio({"ratio": 3.3, "low": 1e-5, "high": 1e6})
    '3.3 times [<0.01, >1,000]'
    """
    ratio, low, high = (float(numbers[name]) for name in ("ratio", "low", "high"))
    if isnan(low):
        return f"{two_digits(ratio)} times"
    least = "<0.01" if low < 0.01 else bound(low)
    most = ">1,000" if high > 1000 else bound(high)
    return f"{two_digits(ratio)} times [{least}, {most}]"
