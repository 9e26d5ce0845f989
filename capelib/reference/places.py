"""Where do states lie? Their shapes (Natural Earth) and capitals (GeoNames), nothing closer."""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from capelib.errors import ParameterError
from capelib.meaning.arguments import states_meant
from capelib.paths import project_folder
from capelib.vocabulary.shipped import table
from capelib.vocabulary.tables import states

WORLD = "reference/world.topo.json"
# has no ISO number; the file's other shapes without one are no states of our list
_BY_NAME = {"Kosovo": "XKX"}


@dataclass(frozen=True)
class Shape:
    """One shape of the map.

    Attributes
    ----------
    iso3 : str
        ISO 3166-1 alpha-3; "" where it is no state of our list.
    name : str
        As Natural Earth has it.
    rings : tuple of ndarray
        Borders of shape (points, 2): longitude and latitude in degrees. A ring is closed and never
        jumps: where a state crosses the antimeridian its longitudes run on beyond 180 or -180.
        Holes (Lesotho in South Africa) are rings too.
    """

    iso3: str
    name: str
    rings: tuple[np.ndarray, ...]

    def holds(self, longitude: float, latitude: float) -> bool:
        """Does the point lie inside?

        Counts how often a line to the east crosses the border (even-odd rule).
        """
        inside = False
        for ring in self.rings:
            x = ring[:, 0] + 360 * np.round((longitude - ring[:, 0].mean()) / 360)
            y = ring[:, 1]
            crossed = (y[:-1] > latitude) != (y[1:] > latitude)
            rise = np.where(crossed, np.diff(y), 1)
            crossing = x[:-1] + (latitude - y[:-1]) * np.diff(x) / rise
            inside ^= bool((crossed & (longitude < crossing)).sum() % 2)
        return inside


@cache
def shapes() -> tuple[Shape, ...]:
    """Which shapes have the states of the world at 1:110 million (de facto borders)?

    Small states (Bahrain, Malta, Singapore ...) have no shape at this scale.

    References
    ----------
    Natural Earth 4.1.0 (public domain) in world-atlas 2.0.2; TopoJSON specification 1.0.

    Examples
    --------
    >>> len(shapes()), shapes()[0].name, len(shapes()[0].rings)
    (177, 'Fiji', 2)
    """
    world = json.loads((project_folder("data") / WORLD).read_text(encoding="utf-8"))
    scale = np.array(world["transform"]["scale"])
    shift = np.array(world["transform"]["translate"])
    # TopoJSON: arcs of whole-number steps, shared by neighbours
    arcs = [np.cumsum(steps, axis=0) * scale + shift for steps in world["arcs"]]
    iso3 = table("capitals").dropna(subset="iso_numeric").set_index("iso_numeric")["iso3"]
    drawn = []
    for shape in world["objects"]["countries"]["geometries"]:
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        rings = tuple(_ring(arcs, numbers) for polygon in polygons for numbers in polygon)
        name = shape["properties"]["name"]
        code = iso3.get(shape.get("id", ""), _BY_NAME.get(name, ""))
        drawn.append(Shape(code, name, rings))
    return tuple(drawn)


def _ring(arcs: list[np.ndarray], numbers: list[int]) -> np.ndarray:
    """A closed border, put together from arcs; ~5 is arc 5, walked backwards."""
    pieces = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    points = np.vstack([pieces[0], *(piece[1:] for piece in pieces[1:])])
    longitudes = np.unwrap(points[:, 0], period=360)
    points = np.column_stack([longitudes, points[:, 1]])
    if abs(longitudes[-1] - longitudes[0]) > 180:  # Antarctica goes round the pole: close it there
        points = np.vstack([points, [longitudes[-1], -90], [longitudes[0], -90], points[0]])
    return points


@cache
def capitals() -> pd.DataFrame:
    """Where is the capital of each state?

    Returns
    -------
    DataFrame
        By `iso3`: `capital` (str), `latitude` and `longitude` (float64, degrees, two decimals).

    References
    ----------
    GeoNames, CC BY 4.0. Names and status as GeoNames has them today; a capital that moved (Almaty
    to Astana in 1997) has one place only.

    Examples
    --------
    >>> capitals().loc["TJK", "capital"]
    'Dushanbe'
    """
    return table("capitals").set_index("iso3")[["capital", "latitude", "longitude"]]


def capital(state: str) -> tuple[float, float]:
    """At which longitude and latitude, in degrees, lies the capital of a state?

    Parameters
    ----------
    state
        ISO 3166-1 alpha-3.

    Raises
    ------
    ParameterError
        For an unknown state, and for one without a capital in the table.

    Examples
    --------
    >>> capital("XKX")
    (21.17, 42.67)
    """
    state = states_meant("state", state)[0]
    if state not in capitals().index:
        raise ParameterError(
            f"no capital on record for {state}, {states()[state]}: leave it out of the map"
        )
    row = capitals().loc[state]
    return float(row["longitude"]), float(row["latitude"])
