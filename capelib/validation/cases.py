"""Which estimator is tried on which made-up world, and where it must fail."""

from dataclasses import dataclass

from capelib.twin import Truth
from capelib.validation import estimates as e
from capelib.validation.estimates import Estimate

SCATTERED = {"scatter": 0.15, "correlation": 0.3}
TWO_PERIODS = {"first_year": 2014, "last_year": 2021, "cases": 5.0, "persons": 1.5}
GROWS = Truth(growth=1.17, plateau=2013, cases=1.6, **SCATTERED)
HELD = Truth(cases=1.5, persons=2.0, together=0.7, held_odds=2.5, religious=0.35)


@dataclass(frozen=True)
class Case:
    """An estimator on one made-up world.

    Attributes
    ----------
    name
        Of the row.
    estimator
        Where it is defined.
    notebooks
        The numbers of those that show it.
    asks
        The question, and what is true.
    truth
        The world.
    estimate
        From the world and a seed to the estimate.
    fails
        Why it must fail here; "" where it should hold.
    part
        Of the twins that this one gets: less for estimators that themselves simulate.
    unit
        "ratio", "share", "difference" (both fractions), "agreement" or "p" (of a test).
    """

    name: str
    estimator: str
    notebooks: tuple[str, ...]
    asks: str
    truth: Truth
    estimate: Estimate
    unit: str
    fails: str = ""
    part: float = 1.0


CASES = (
    Case(
        "one line, years apart",
        "estimators.yearly_counts.trend",
        ("03",),
        "factor a year, where one line is true (1.05; years scatter, each alone)",
        Truth(growth=1.05, cases=3.5, scatter=SCATTERED["scatter"]),
        e.one_line_of_years_apart,
        "ratio",
    ),
    Case(
        "one line, years taken apart",
        "estimators.yearly_counts.trend",
        ("03",),
        "factor a year (1.05), where each year is much like the one before (correlation 0.8)",
        Truth(growth=1.05, cases=7.0, scatter=0.3, correlation=0.8),
        e.one_line_of_years_apart,
        "ratio",
        "years that are alike are taken for as many witnesses",
    ),
    Case(
        "one line",
        "estimators.correlated_years.correlated",
        ("03",),
        "factor a year, where one line is true (1.05; years scatter and lean on each other)",
        Truth(growth=1.05, cases=3.5, **SCATTERED),
        e.one_line,
        "ratio",
    ),
    Case(
        "one line, reporting rises",
        "estimators.yearly_counts.trend",
        ("03",),
        "factor a year of the pursuit (1.00), while reporting rises by 5 % a year",
        Truth(reporting=1.05, cases=3.5, **SCATTERED),
        e.one_line,
        "ratio",
        "a rise in reports cannot be told from a rise in pursuit by one series",
    ),
    Case(
        "to the turn",
        "estimators.trend_shapes.course",
        ("03",),
        "factor a year to the year in which growth seems to end (in truth 2013)",
        GROWS,
        e.to_the_turn,
        "ratio",
        part=0.4,
    ),
    Case(
        "since the turn",
        "estimators.trend_shapes.course",
        ("03",),
        "factor a year since the year in which growth seems to end (in truth 2013)",
        GROWS,
        e.since_the_turn,
        "ratio",
        part=0.4,
    ),
    Case(
        "against others",
        "estimators.yearly_odds.odds_trend",
        ("03",),
        "factor a year of one state's pursuit (1.05), while all reporting rises by 5 % a year",
        Truth(growth=1.05, reporting=1.05, cases=3.0, **SCATTERED),
        e.against_others,
        "ratio",
    ),
    Case(
        "against others, one state's reporting rises",
        "estimators.yearly_odds.odds_trend",
        ("03",),
        "factor a year of one state's pursuit (1.00), while reporting on it alone rises by 5 %",
        Truth(reporting_of_first=1.05, cases=3.0, **SCATTERED),
        e.against_others,
        "ratio",
        "reports on one state alone rise: the odds show the reporting",
    ),
    Case(
        "any break",
        "estimators.change_points.change_point",
        ("03",),
        "does the test pass at 5 % where no year breaks?",
        Truth(growth=1.03, cases=4.5, **SCATTERED),
        e.any_break,
        "p",
        part=0.4,
    ),
    Case(
        "any break, growth that ends",
        "estimators.change_points.change_point",
        ("03",),
        "does it pass where growth ends slowly and no level jumps?",
        Truth(growth=1.3, plateau=2012, cases=0.8),
        e.any_break,
        "p",
        "a bend is taken for a break",
        part=0.4,
    ),
    Case(
        "change of a share",
        "estimators.clusters.clustered_difference",
        ("04", "06", "07", "08", "09"),
        "change where the odds double in the last year and persons come in episodes",
        Truth(unfree_odds=2.0, unfree_from=2021, **TWO_PERIODS),
        e.change_of_share,
        "difference",
    ),
    Case(
        "change of a share, read as one of the same states",
        "estimators.clusters.clustered_difference",
        ("04",),
        "change within states (0), where the states with such hosts act four times as often",
        Truth(shift=4.0, spread=1.0, unfree_from=2021, **TWO_PERIODS),
        e.change_read_as_within,
        "difference",
        "who acts changed, not where the same states act: use the part within",
    ),
    Case(
        "change within states",
        "estimators.decomposition.kitagawa",
        ("04", "09"),
        "change within states (0), where the states with such hosts act four times as often",
        Truth(shift=4.0, spread=1.0, unfree_from=2021, **TWO_PERIODS),
        e.change_within,
        "difference",
    ),
    Case(
        "change of a share, years differ",
        "estimators.clusters.clustered_difference",
        ("04",),
        "change from a lasting level (0), where each year has a level of its own",
        Truth(drift=0.6, **TWO_PERIODS),
        e.change_of_share,
        "difference",
        "one year is compared with others as if only its cases were chance",
    ),
    Case(
        "a new year",
        "estimators.new_year.yearly_level",
        ("04",),
        "where the share of the next year lies, where each year has a level of its own",
        Truth(drift=0.6, **TWO_PERIODS),
        e.new_year,
        "share",
    ),
    Case(
        "mean of yearly shares",
        "estimators.clusters.clustered_mean",
        ("04",),
        "the mean of yearly shares (0.50)",
        Truth(**TWO_PERIODS),
        e.mean_of_years,
        "share",
    ),
    Case(
        "a special year",
        "estimators.specifications.joint_test",
        ("10",),
        "does the joint test pass at 1/8 where none of eight years is special?",
        Truth(drift=0.6, **TWO_PERIODS),
        e.special_year,
        "p",
    ),
    Case(
        "a trait of hosts",
        "estimators.specifications.joint_test",
        ("10",),
        "does it pass at 5 % where no trait of hosts goes with being held, and hosts are moved?",
        Truth(cases=1.5, persons=2.0, together=0.7, giant=8.0),
        e.trait_of_hosts,
        "p",
        part=0.4,
    ),
    Case(
        "a share",
        "estimators.clusters.clustered",
        ("04", "05", "06", "07", "08", "09"),
        "share held, where persons of an episode mostly fare alike",
        HELD,
        e.held,
        "share",
    ),
    Case(
        "a share, each case alone",
        "estimators.shares.wilson",
        ("05", "06", "08"),
        "share held (0.30), where every person is an episode",
        Truth(cases=1.5),
        e.held_alone,
        "share",
    ),
    Case(
        "a share, cases taken as alone",
        "estimators.shares.wilson",
        ("05", "06", "08"),
        "share held, where persons of an episode mostly fare alike",
        HELD,
        e.held_alone,
        "share",
        "persons of one episode are taken for as many cases",
    ),
    Case(
        "odds of a category",
        "estimators.ordered_logit.ordered_logit",
        ("05",),
        "odds ratio of being held (2.5)",
        HELD,
        e.category_odds,
        "ratio",
    ),
    Case(
        "odds of a category, coders err",
        "estimators.ordered_logit.ordered_logit",
        ("05",),
        "odds ratio of being held (2.5), where one category in ten is wrong",
        Truth(cases=1.5, held_odds=2.5, religious=0.3, coder=0.1),
        e.category_odds,
        "ratio",
        "wrong codes pull the ratio towards 1",
    ),
    Case(
        "odds of a category, corrected",
        "estimators.simex.mc_simex",
        ("02",),
        "odds ratio of being held (2.5), one category in ten wrong, 150 exiles coded twice",
        Truth(cases=1.5, held_odds=2.5, religious=0.3, coder=0.1),
        e.simex_odds,
        "ratio",
        part=0.4,
    ),
    Case(
        "odds of a category, many errors, corrected",
        "estimators.simex.mc_simex",
        ("02",),
        "odds ratio of being held (2.5), one category in five wrong, 150 exiles coded twice",
        Truth(cases=1.5, held_odds=2.5, religious=0.3, coder=0.2),
        e.simex_odds,
        "ratio",
        "the quadratic takes back a part only of large errors",
        part=0.4,
    ),
    Case(
        "odds with clusters",
        "estimators.clustered_logit.odds_ratios",
        ("07",),
        "odds ratio of being held (2.5)",
        HELD,
        e.clustered_odds,
        "ratio",
    ),
    Case(
        "share of a category, coders err",
        "estimators.clusters.clustered",
        ("02",),
        "share of religious exiles (0.25), where one category in five is wrong",
        Truth(cases=2.0, religious=0.25, coder=0.2),
        e.naive_share,
        "share",
        "wrong codes pull the share towards one half",
    ),
    Case(
        "share of a category, corrected",
        "estimators.misclassified_shares.corrected_shares",
        ("02",),
        "share of religious exiles (0.25), one in five wrong, 150 coded twice, the second right",
        Truth(cases=2.0, religious=0.25, coder=0.2),
        e.corrected_share,
        "share",
        part=0.4,
    ),
    Case(
        "kappa",
        "estimators.agreement.agreement",
        ("02",),
        "Cohen's kappa, each of two coders wrong in 12 %",
        Truth(cases=1.0, last_year=2016, persons=1.3),
        e.kappa,
        "agreement",
        part=0.4,
    ),
    Case(
        "alpha",
        "estimators.agreement.agreement",
        ("02",),
        "Krippendorff's alpha, each of two coders wrong in 12 %",
        Truth(cases=1.0, last_year=2016, persons=1.3),
        e.alpha,
        "agreement",
        part=0.4,
    ),
    Case(
        "taken home within five years",
        "estimators.survival.kaplan_meier",
        ("05",),
        "share within five years (0.39), dates partly years, everybody watched to the end",
        Truth(cases=1.5, removal=0.1, coarse=0.3),
        e.removed_in_five_years,
        "share",
    ),
    Case(
        "taken home within five years, attention ends",
        "estimators.survival.kaplan_meier",
        ("05",),
        "share within five years (0.39), where reports on a person stop after three years",
        Truth(cases=1.5, removal=0.1, coarse=0.3, attention=3.0),
        e.removed_in_five_years,
        "share",
        "who is no longer reported on is taken to be free",
    ),
    Case(
        "ratio in a panel",
        "estimators.panel_counts.expected_counts",
        ("07",),
        "factor of expected counts by kind of host (4)",
        Truth(unfree=0.8, cases=3.0),
        e.panel_ratio,
        "ratio",
    ),
    Case(
        "bounds of an order",
        "estimators.event_order.clustered_bounds",
        ("05", "06", "08"),
        "share in which one came first (0.40), half of the dates years",
        Truth(cases=1.5, removal=0.3, coarse=0.5),
        e.order_bounds,
        "share",
    ),
    Case(
        "pooled shares",
        "estimators.pooled_shares.pooled_shares",
        ("09",),
        "share of a group, drawn towards that of all",
        Truth(cases=2.0),
        e.pooled_group,
        "share",
    ),
)
