"""House style: what every figure of the collection looks like, and the `Chart` that carries one."""

import io
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from capelib.dataset import Info

# Okabe and Ito's palette, safe for colour-blind readers; the same state has the same colour everywhere.
ORIGIN_COLOURS = {
    "KAZ": "#0072B2",
    "KGZ": "#E69F00",
    "TJK": "#D55E00",
    "TKM": "#009E73",
    "UZB": "#CC79A7",
    "all": "#4D4D4D",
}
STAGE_COLOURS = {1: "#A6CEE3", 2: "#4A90C2", 3: "#08306B"}  # light to dark: also readable in grey
INK, GREY, PALE = "#222222", "#6B6B6B", "#D9D9D9"
ACCENT = "#B2182B"

STYLE = {
    **sns.axes_style("ticks"),
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "svg.hashsalt": "capelib",  # else the ids in an SVG differ at every run
    "svg.fonttype": "path",
    "text.parse_math": False,  # a $ in the name of a file is a $
    "savefig.dpi": 120,
}

CSS = """.page { font: 15px/1.45 sans-serif; color: #222; max-width: 1050px; margin: 1.5em auto; padding: 0 1em }
.page table { border-collapse: collapse; width: 100%; margin: 0 0 1.6em }
.page td, .page th { text-align: left !important; vertical-align: top; white-space: normal }
.page td, .page th { padding: .35em .8em .35em 0; border-bottom: 1px solid #ddd }
.page td.number { white-space: nowrap; font-weight: bold }
.page .verdict { font-weight: bold }
.page small { color: #666 }
.page img { max-width: 100% }
.page .beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 1.2em }
.page figure { margin: 0 }
.page figcaption { font-weight: bold }"""


@contextmanager
def style() -> Iterator[None]:
    """The house style, for the length of a block; global settings stay as they were."""
    with mpl.rc_context(STYLE):
        yield


@dataclass(frozen=True)
class Chart:
    """A figure with the frame that it draws and the dataset that it rests on. Shown as a picture in a notebook."""

    figure: Figure
    data: pd.DataFrame
    title: str
    info: Info

    _drawn: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def picture(self, form: str) -> bytes:
        """The figure as bytes of an SVG or PNG, the same at every call; drawn once, since drawing is most of a run's work."""
        if form not in self._drawn:
            self._drawn[form] = self._draw(form)
        return self._drawn[form]

    def _draw(self, form: str) -> bytes:
        buffer = io.BytesIO()
        metadata: dict[str, Any] = {
            "svg": {"Date": None, "Title": self.title},
            "png": {"Software": None, "Title": self.title},
        }[form]
        small: dict[str, Any] = (
            {"pil_kwargs": {"compress_level": 1}} if form == "png" else {}
        )  # 5 % larger, a fifth sooner
        with style():
            self.figure.savefig(buffer, format=form, metadata=metadata, **small)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.picture("png")

    def __repr__(self) -> str:
        return f"<Chart: {self.title}>"


class Page:
    """A piece of HTML with its style: shown in a notebook, saved as a page of its own by `cape.figures.save_page`."""

    def __init__(self, title: str, body: str) -> None:
        self.title, self.body = title, body

    def _repr_html_(self) -> str:
        return f'<style>{CSS}</style><div class="page">{self.body}</div>'

    def __repr__(self) -> str:
        return f"<Page: {self.title}>"

    def document(self) -> str:
        """The whole HTML document."""
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(self.title)}</title>'
        return f'<!doctype html>\n<html lang="en"><head>{head}<style>{CSS}</style></head>\n<body class="page">{self.body}</body></html>\n'


def canvas(
    title: str,
    subtitle: str,
    info: Info,
    rows: int = 1,
    columns: int = 1,
    height: float = 4.6,
    left: float = 0.09,
    also: str = "",
    air: float = 0.0,
    **grid: Any,
) -> tuple[Figure, Any]:
    """An empty figure in house style: the question as title, data and n below it, the source line at the foot.

    air: inches of it below the subtitle. Only to be called inside `style()`. Returns the figure and its axes (an array for several).
    """
    width = 8.0
    head = textwrap.wrap(title, 68)
    under = textwrap.wrap(subtitle, 112)
    figure = Figure(figsize=(width, height))
    top = height - 0.12
    for line in head:
        figure.text(0.02, top / height, line, size=13, weight="bold", va="top")
        top -= 0.26
    top -= 0.03
    for line in under:
        figure.text(0.02, top / height, line, size=9.5, color=GREY, va="top")
        top -= 0.19
    foot = textwrap.fill(f"Source: {info.source_line}{'; ' + also if also else ''}", 150)
    figure.text(0.02, 0.06 / height, foot, size=7, color=GREY, va="bottom")
    axes = figure.subplots(
        rows,
        columns,
        gridspec_kw={
            "left": left,
            "right": 0.97,
            "top": (top - 0.22 - air) / height,
            "bottom": (0.66 + 0.1 * foot.count("\n")) / height,
            **grid,
        },
        sharey=columns > 1,
    )
    if info.synthetic:
        figure.text(
            0.5,
            0.5,
            "SYNTHETIC",
            size=60,
            color=ACCENT,
            alpha=0.25,
            ha="center",
            va="center",
            rotation=25,
        )
    return figure, axes


def note(axes: Axes, x: float, y: float, text: str, **how: Any) -> None:
    """A direct label, in the size that labels have."""
    axes.annotate(text, (x, y), **{"fontsize": 8.5, "color": INK, "annotation_clip": False, **how})
