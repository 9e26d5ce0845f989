"""What Freedom House's own numbers allow: 735 incidents, 85 of them in 2021, 74 % against 58 %."""

from dataclasses import dataclass

import pandas as pd

from capelib.display import Result
from capelib.estimators.shares import Estimate, gap_between, score_interval
from capelib.findings.ledger import published
from capelib.questions.wording import points

__all__ = [
    "PublishedShares",
    "for_a_journalist",
    "published_bounds",
    "published_shares",
]

# The first release, and what each later one announced for its newest year.
_ANNOUNCED = (
    *("fh2021-total", "fh2022-new-2021", "fh2023-new-2022", "fh2024-new-2023", "fh2025-new-2024"),
)


@dataclass(frozen=True, repr=False)
class PublishedShares(Result):
    """The published counts behind "74 percent against 58".

    Attributes
    ----------
    late_k, late_n : int
        Incidents of 2021 on authoritarian soil, and all of 2021.
    early_k, early_n : int
        The same for 2014-2020, if the 58 % are one share of all incidents.
    early_least, early_most : int
        The fewest and most that round to 58 %.
    from_belarus : int
        Incidents of 2021 of Belarusians in Russia; it is not printed how many are among the 85.
    in_turkey, in_turkey_2021 : int
        Incidents in Türkiye to 2021, and those of 2021 (a quarter of 85).
    added_later : int
        How many incidents of 2021 later releases would add, if as many as on average: all releases
        announced 1,057 at first, and hold 1,219.
    """

    late_k: int
    late_n: int
    early_k: int
    early_n: int
    early_least: int
    early_most: int
    from_belarus: int
    in_turkey: int
    in_turkey_2021: int
    added_later: int

    def summary(self) -> str:
        """The answer in words."""
        return (
            f"{self.late_k} of {self.late_n} against {self.early_k} of {self.early_n}: "
            f"{100 * self.change:+.0f} points"
        )

    @property
    def change(self) -> float:
        """The later share minus the earlier one, a fraction."""
        return self.late_k / self.late_n - self.early_k / self.early_n

    @property
    def least_without_belarus(self) -> float:
        """The later share without Belarusians in Russia if all of them lay on such soil."""
        k, n = _without((self.late_k, self.late_n), self.from_belarus)
        return k / n


def published_shares() -> PublishedShares:
    """Which counts do the published numbers give?

    Returns
    -------
    PublishedShares
        From `data/published/findings.csv`.

    Notes
    -----
    74 % of 85 is 63 and no other whole number: 62 are 72.9 %, 64 are 75.3 %.

    Examples
    --------
    >>> numbers = published_shares()
    >>> (numbers.late_k, numbers.late_n, numbers.early_k, numbers.early_n)
    (63, 85, 377, 650)
    >>> numbers.early_least, numbers.early_most, numbers.in_turkey_2021
    (374, 380, 21)
    """
    number = {
        name: published(key).value
        for name, key in {
            "total": "fh2022-total",
            "late_n": "fh2022-new-2021",
            "late": "fa2022-autoc-share-2021",
            "early": "fa2022-autoc-share-2014-2020",
            "from_belarus": "fa2022-blr-rus-2021",
            "in_turkey": "fh2022-tur-host",
            "turkish_share": "fh2022-tur-host-2021-share",
        }.items()
    }
    first_announced = sum(published(key).value for key in _ANNOUNCED)
    grown = published("fh2025-total").value / first_announced - 1
    late_n, early_n = int(number["late_n"]), int(number["total"] - number["late_n"])
    percent = round(100 * number["early"])
    alike = [k for k in range(early_n + 1) if round(100 * k / early_n) == percent]
    return PublishedShares(
        late_k=round(number["late"] * late_n),
        late_n=late_n,
        early_k=round(number["early"] * early_n),
        early_n=early_n,
        early_least=alike[0],
        early_most=alike[-1],
        from_belarus=int(number["from_belarus"]),
        in_turkey=int(number["in_turkey"]),
        in_turkey_2021=round(number["turkish_share"] * late_n),
        added_later=round(grown * late_n),
    )


def published_bounds(design_effect: float | None) -> pd.DataFrame:
    """What do the published numbers allow one to say of the rise, exactly?

    Parameters
    ----------
    design_effect
        By how much incidents reported together raise the variance, 1 or more; the published table
        is not open, so that of another collection stands in. None where it cannot be computed:
        its row is left out.

    Returns
    -------
    DataFrame
        `reading`, `2021` and `before` (counts in words), `change`, `low`, `high` (fractions; the
        ends of an interval of 95 %, or of what is possible, see `kind`), `kind` ("95 %" or
        "possible").

    Notes
    -----
    Everything follows from 735, 85, 22, 56, a quarter, 74 % and 58 %. The 95 % intervals are
    Newcombe's with n / design effect cases on both sides. The possible values let what is not
    printed take every whole number. Belarusians in Russia are left out of 2021 alone, since
    their number before is not printed; Türkiye is left out of both periods.

    Examples
    --------
    >>> bounds = published_bounds(2.5).set_index("reading")
    >>> row = bounds.loc["as printed, incidents independent"]
    >>> [round(100 * number) for number in (row["change"], row["low"], row["high"])]
    [16, 5, 25]
    """
    numbers = published_shares()
    late, early = (numbers.late_k, numbers.late_n), (numbers.early_k, numbers.early_n)
    belarus, turkey = numbers.from_belarus, numbers.in_turkey_2021
    earlier = numbers.in_turkey - turkey
    rows = [
        _interval("as printed, incidents independent", late, early),
        _interval("as printed, design effect 2", late, early, 2.0),
        _possible(
            f"0 to {belarus} of the {belarus} Belarusians in Russia left out of 2021",
            [_without(late, hits) for hits in range(belarus + 1)],
            [early],
        ),
        _possible(
            f"the {numbers.in_turkey} in Türkiye left out of both too, if all {turkey} count",
            [_without(_without(late, turkey), hits) for hits in range(belarus + 1)],
            [
                (numbers.early_k - hits, numbers.early_n - earlier)
                for hits in range(earlier, -1, -1)
            ],
        ),
        _possible(
            f"{numbers.added_later} more of 2021 found later, as on average",
            [
                (numbers.late_k + hits, numbers.late_n + numbers.added_later)
                for hits in range(numbers.added_later + 1)
            ],
            [early],
        ),
        _possible("58 % before rounding", [late], _earlier(numbers)),
        _possible(
            "Türkiye Not Free throughout, as since 2017",
            [late],
            [(numbers.early_k + moved, numbers.early_n) for moved in range(earlier + 1)],
        ),
    ]
    if design_effect is not None:
        name = f"as printed, design effect {design_effect:.1f} as here"
        rows.insert(2, _interval(name, late, early, design_effect))
    return pd.DataFrame(
        rows, columns=["reading", "2021", "before", "change", "low", "high", "kind"]
    )


def _earlier(numbers: PublishedShares) -> list[tuple[int, int]]:
    return [(k, numbers.early_n) for k in range(numbers.early_least, numbers.early_most + 1)]


def _without(share: tuple[int, int], hits: int) -> tuple[int, int]:
    """A share without some hits."""
    return share[0] - hits, share[1] - hits


def _interval(
    reading: str, late: tuple[int, int], early: tuple[int, int], effect: float = 1.0
) -> tuple:
    sides = [Estimate(k / n, *score_interval(k / effect, n / effect)) for k, n in (late, early)]
    return (reading, _words([late]), _words([early]), *gap_between(*sides), "95 %")


def _possible(reading: str, late: list[tuple[int, int]], early: list[tuple[int, int]]) -> tuple:
    changes = [k / n - before / base for k, n in late for before, base in early]
    middle = float("nan")
    return (reading, _words(late), _words(early), middle, min(changes), max(changes), "possible")


def _words(shares: list[tuple[int, int]]) -> str:
    """Counts in words: "63 of 85 (74 %)", or from the first to the last of several."""
    ends = shares if len(shares) == 1 else [shares[0], shares[-1]]
    return " to ".join(f"{k} of {n} ({100 * k / n:.0f} %)" for k, n in ends)


def for_a_journalist(design_effect: float | None) -> str:
    """What can be written of the published numbers, in one paragraph?

    Parameters
    ----------
    design_effect
        As for `published_bounds`; where it is None, a doubled variance stands in.

    Returns
    -------
    str
        A few sentences; each number is computed.
    """
    numbers = published_shares()
    rows = published_bounds(design_effect)
    known = design_effect is not None
    alone, together = rows.iloc[0], rows.iloc[2 if known else 1]
    often = "as often as in the public record" if known else "so often that the variance doubles"
    rise = points(together["change"], together["low"], together["high"])
    by_chance = f"chance alone {'can' if together['low'] <= 0 else 'does not'} make it"
    if not known:
        by_chance = "how often they do is not known here, nor whether chance alone can make it"
    half = numbers.from_belarus + numbers.in_turkey_2021
    later_n = numbers.late_n + numbers.added_later
    least, most = numbers.late_k / later_n, (numbers.late_k + numbers.added_later) / later_n
    alone = points(alone["change"], alone["low"], alone["high"])
    return (
        f"Freedom House counted {numbers.late_k} of {numbers.late_n} incidents of 2021 inside "
        "other authoritarian states, and 58 in 100 before: "
        f"{alone} if each incident stood for itself. "
        f"If incidents come together {often}, that rise has the interval "
        f"{rise.partition(' points ')[2]}: "
        f"{by_chance}. "
        f"Belarusians in Russia ({numbers.from_belarus}) and people in Türkiye "
        f"({numbers.in_turkey_2021}) may be {half} of the {numbers.late_n}. "
        f"If as many are added to 2021 later as on average, its share can be anything "
        f"from {100 * least:.0f} to {100 * most:.0f} %. "
        "It does not follow that states act on such soil more often than before."
    )
