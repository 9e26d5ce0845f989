"""One function a figure, one function that saves."""

from capelib.figures.authoritarian_hosts import definitions, host_shares, host_years, left_out
from capelib.figures.compare import side_by_side
from capelib.figures.cooperation import (
    corridor_matrix,
    counts_beside,
    fellow_members,
    host_act_odds,
    hosts_left_out,
    membership_models,
    per_displaced,
)
from capelib.figures.data_quality import coder_agreement, date_precision, robustness
from capelib.figures.forest import intervals
from capelib.figures.interpol import (
    interpol_compared,
    interpol_first,
    interpol_follows,
    interpol_held,
)
from capelib.figures.journeys import caught_by_host, journey_map
from capelib.figures.learn_the_dataset import by_measure, by_origin_and_year
from capelib.figures.pages import Page
from capelib.figures.published_findings import ledger_page, relations_page, verdicts
from capelib.figures.relatives import relatives_gap, relatives_sequence, relatives_shares
from capelib.figures.saving import save, save_page
from capelib.figures.specification_curve import all_specifications
from capelib.figures.stages import stage_composition, stage_escalation, stage_odds
from capelib.figures.style import ORIGIN_COLOURS, STAGE_COLOURS, Chart
from capelib.figures.tajik_targeting import against_others, break_scan, targeting

__all__ = [
    "ORIGIN_COLOURS",
    "STAGE_COLOURS",
    "Chart",
    "Page",
    "against_others",
    "all_specifications",
    "break_scan",
    "by_measure",
    "by_origin_and_year",
    "caught_by_host",
    "coder_agreement",
    "corridor_matrix",
    "counts_beside",
    "date_precision",
    "definitions",
    "fellow_members",
    "host_act_odds",
    "host_shares",
    "host_years",
    "hosts_left_out",
    "interpol_compared",
    "interpol_first",
    "interpol_follows",
    "interpol_held",
    "intervals",
    "journey_map",
    "ledger_page",
    "left_out",
    "membership_models",
    "per_displaced",
    "relations_page",
    "relatives_gap",
    "relatives_sequence",
    "relatives_shares",
    "robustness",
    "save",
    "save_page",
    "side_by_side",
    "stage_composition",
    "stage_escalation",
    "stage_odds",
    "targeting",
    "verdicts",
]


def __dir__() -> list[str]:
    return __all__
