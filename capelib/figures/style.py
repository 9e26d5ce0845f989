"""What every figure of the collection looks like, and the `Chart` that carries one."""

import base64
import io
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from itertools import cycle
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from capelib.dataset import Info
from capelib.meaning.pursuers import pursuers
from capelib.vocabulary.tables import states

# Okabe and Ito's palette, safe for colour-blind readers.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
# For states that join `[pursuers.all]` of the codebook.
FURTHER_COLOURS = ("#56B4E9", "#8C510A", "#5E3C99", "#7F7F00")
STAGE_COLOURS = {1: "#A6CEE3", 2: "#4A90C2", 3: "#08306B"}  # light to dark: also readable in grey
STAGE_1_TEXT = "#6FA8CC"  # the colour of stage 1, dark enough for letters
INK = "#222222"
GREY = "#6B6B6B"
PALE = "#D9D9D9"
ACCENT = "#B2182B"

WIDTH = 8.0  # inches of every figure
DASHED = (0, (5, 3))

_CODE = re.compile(r"\b[A-Z]{3}\b")  # of a state
# Labels begin with a space, to stand off what they name: an SVG leaves out such a space.
_SPACED = re.compile(rb"<text (?=[^>]*>(?: |[^<]*  ))")

STYLE = {
    **sns.axes_style("ticks"),
    # The widths of letters are DejaVu's; Verdana's are the same, for readers who lack DejaVu.
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana"],
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
    "svg.fonttype": "none",  # text that can be searched, a fifth of the bytes
    "text.parse_math": False,  # a $ in the name of a file is a $
    "savefig.dpi": 120,
}


def _origin_colours() -> dict[str, str]:
    """A colour for each state of the codebook's `[pursuers.all]`, the same in every figure."""
    colours = {
        "KAZ": BLUE,
        "KGZ": "#E69F00",
        "TJK": VERMILION,
        "TKM": GREEN,
        "UZB": "#CC79A7",
    }
    added = [code for code in pursuers("all").codes if code not in colours]
    colours.update(zip(added, cycle(FURTHER_COLOURS), strict=False))
    return colours | {"all": "#4D4D4D"}


ORIGIN_COLOURS = _origin_colours()


def origin_colour(origin: str) -> str:
    """The colour of a pursuing state; states without one share the colour of "all"."""
    return ORIGIN_COLOURS.get(origin, ORIGIN_COLOURS["all"])


@contextmanager
def style() -> Iterator[None]:
    """The style of the collection within a block; global settings stay as they were."""
    with mpl.rc_context(STYLE):
        yield


@dataclass(frozen=True)
class Chart:
    """A figure with the frame that it draws; shown as a picture in a notebook.

    A notebook shows the SVG where `cape.figures.save` has drawn it, else a PNG.

    Attributes
    ----------
    figure
        The matplotlib figure.
    data
        The frame behind: what `cape.figures.save` writes as CSV.
    title
        The question that the figure answers.
    info
        The dataset that the figure rests on.
    """

    figure: Figure
    data: pd.DataFrame
    title: str
    info: Info

    _drawn: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def picture(self, form: str) -> bytes:
        """What are the bytes of the picture? The same at every call.

        Parameters
        ----------
        form
            "svg", "png" or "pdf".

        Returns
        -------
        bytes
            The picture. It is drawn once, since drawing is most of a run's work.
        """
        if form not in self._drawn:
            self._drawn[form] = self._draw(form)
        return self._drawn[form]

    def _draw(self, form: str) -> bytes:
        # A picture without a date is the same at every run; light compression makes a PNG 5 %
        # larger and a fifth faster.
        options: dict[str, dict[str, Any]] = {
            "svg": {"metadata": {"Date": None, "Title": self.title}},
            "png": {
                "metadata": {"Software": None, "Title": self.title},
                "pil_kwargs": {"compress_level": 1},
            },
            "pdf": {"metadata": {"CreationDate": None, "Title": self.title}},
        }
        buffer = io.BytesIO()
        with style():
            self.figure.savefig(buffer, format=form, **options[form])
        return _SPACED.sub(b'<text xml:space="preserve" ', buffer.getvalue())

    def _repr_html_(self) -> str | None:
        # An image in HTML: JupyterLab shows no SVG by itself in a notebook that is not trusted.
        if "svg" not in self._drawn:
            return None
        content = base64.b64encode(self.picture("svg")).decode()
        return f'<img alt="{escape(self.title)}" src="data:image/svg+xml;base64,{content}">'

    def _repr_png_(self) -> bytes | None:
        return None if "svg" in self._drawn else self.picture("png")

    def __repr__(self) -> str:
        return f"<Chart: {self.title}>"


def canvas(
    title: str,
    subtitle: str,
    info: Info,
    rows: int = 1,
    columns: int = 1,
    height: float = 4.6,
    left: float = 0.09,
    also: str = "",
    space: float = 0.0,
    **grid: Any,
) -> tuple[Figure, Any]:
    """An empty figure: the question as title, data and n below it, the source line at the foot.

    Only to be called inside `style()`.

    Parameters
    ----------
    title, subtitle
        Texts above the axes; long ones are wrapped.
    info
        The dataset, for the source line, which names what was selected of it; synthetic data is
        stamped.
    rows, columns
        Number of axes below and beside each other.
    height
        Inches of the figure.
    left
        Where the axes begin, as a fraction of the width.
    also
        Further sources, for the source line.
    space
        Inches between subtitle and axes, beyond the usual.
    grid
        Further settings of the grid of axes.

    Returns
    -------
    tuple
        The figure and its axes (an array for several).
    """
    figure = Figure(figsize=(WIDTH, height))
    top = height - 0.12
    for line in textwrap.wrap(title, 68):
        figure.text(0.02, top / height, line, size=13, weight="bold", va="top")
        top -= 0.26
    top -= 0.03
    for line in textwrap.wrap(subtitle, 112):
        figure.text(0.02, top / height, line, size=9.5, color=GREY, va="top")
        top -= 0.19
    selected = [
        _CODE.sub(lambda code: states().get(code[0], code[0]), each) for each in info.filters
    ]
    parts = [f"Source: {info.source_line}", *selected, also]
    foot = textwrap.fill("; ".join(filter(None, parts)), 150)
    figure.text(0.02, 0.06 / height, foot, size=7, color=GREY, va="bottom")
    limits = {
        "left": left,
        "right": 0.97,
        "top": (top - 0.22 - space) / height,
        "bottom": (0.66 + 0.1 * foot.count("\n")) / height,
    }
    axes = figure.subplots(rows, columns, gridspec_kw=limits | grid, sharey=columns > 1)
    if info.synthetic:
        stamp = {"size": 60, "color": ACCENT, "alpha": 0.25, "rotation": 25}
        figure.text(0.5, 0.5, "SYNTHETIC", ha="center", va="center", **stamp)
    return figure, axes


def note(axis: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """A direct label, in the size that labels have."""
    usual = {"fontsize": 8.5, "color": INK, "annotation_clip": False}
    axis.annotate(text, (x, y), **(usual | options))


def too_few(
    axis: Axes, text: str = "too few cases", height: float = 0.5, fontsize: float = 8.5
) -> None:
    """Say on an axis why nothing is drawn on it; height: a fraction of the axis."""
    where = {"xycoords": "axes fraction", "ha": "center", "va": "bottom", "color": ACCENT}
    note(axis, 0.5, height, text, fontsize=fontsize, **where)


def in_percent(axis: Any) -> None:
    """Write the ticks of an x or y axis of fractions in percent."""
    axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
