"""SHOW: house style, one function a figure, one function that saves."""

from capelib.figures.charts import break_scan, by_measure, by_origin_and_year, corridors, definitions, host_shares, intervals, targeting
from capelib.figures.house import ORIGIN_COLOURS, STAGE_COLOURS, Chart
from capelib.figures.saving import save

__all__ = [
    "ORIGIN_COLOURS",
    "STAGE_COLOURS",
    "Chart",
    "break_scan",
    "by_measure",
    "by_origin_and_year",
    "corridors",
    "definitions",
    "host_shares",
    "intervals",
    "save",
    "targeting",
]
