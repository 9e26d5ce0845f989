"""The shapes are the world's, no line jumps across it, and each capital lies in its state."""

import json
import time

import numpy as np
import pytest
from matplotlib.path import Path

import capelib as cape
from capelib.errors import ParameterError
from capelib.paths import project_folder
from capelib.reference import places

RADIUS = 6371.0072  # km, of the sphere with the Earth's surface
TOO_SMALL = {
    "ESH",
    "VUT",
}  # at 1:110 million: the capital's island is missing, and only the east of Western Sahara is drawn


@pytest.fixture(scope="module")
def world() -> dict[str, places.Shape]:
    return {shape.iso3: shape for shape in places.shapes() if shape.iso3}


def area(shape: places.Shape) -> float:
    """Square kilometres on the sphere, by Green's theorem; holes run the other way round."""
    total = 0.0
    for ring in shape.rings:
        x, y = np.radians(ring).T
        total += np.sum(np.diff(x) * (np.sin(y[1:]) + np.sin(y[:-1])) / 2)
    return abs(total) * RADIUS**2


def test_there_are_177_shapes_and_all_but_three_are_states_of_the_list(world):
    assert len(places.shapes()) == 177
    assert [shape.name for shape in places.shapes() if not shape.iso3] == [
        "Antarctica",
        "N. Cyprus",
        "Somaliland",
    ]
    assert len(world) == 174
    assert world["XKX"].name == "Kosovo"
    assert set(world) <= set(cape.states())


@pytest.mark.parametrize(
    (
        "state",
        "published",
    ),  # thousand square kilometres, land and inland water: UN Demographic Yearbook
    [
        ("KAZ", 2725),
        ("UZB", 447),
        ("TKM", 488),
        ("KGZ", 200),
        ("TJK", 143),
        ("RUS", 17098),
        ("TUR", 784),
        ("ZAF", 1221),
    ],
)
def test_areas_are_the_known_ones(world, state, published):
    assert area(world[state]) / 1000 == pytest.approx(published, rel=0.05)


def test_bounds_are_the_known_ones(world):
    rings = np.vstack(world["TJK"].rings)
    assert rings.min(axis=0) == pytest.approx([67.3, 36.7], abs=0.3)
    assert rings.max(axis=0) == pytest.approx([75.2, 41.0], abs=0.3)


def test_rings_are_closed_and_never_jump_across_the_map():
    for shape in places.shapes():
        for ring in shape.rings:
            assert ring[0] == pytest.approx(ring[-1]), shape.name
            if shape.name != "Antarctica":  # closed at the pole
                assert np.abs(np.diff(ring[:, 0])).max() < 30, shape.name
    chukotka = next(
        ring
        for shape in places.shapes()
        if shape.iso3 == "RUS"
        for ring in shape.rings
        if len(ring) > 200
    )
    assert chukotka[:, 0].max() > 185  # runs on beyond the antimeridian


def test_neighbours_share_the_same_points(world):
    points = {
        state: {tuple(point) for ring in world[state].rings for point in ring.round(9)}
        for state in ("TJK", "UZB", "KGZ", "ZAF", "LSO")
    }
    assert len(points["TJK"] & points["UZB"]) > 10
    assert len(points["TJK"] & points["KGZ"]) > 5
    assert points["LSO"] <= points["ZAF"]  # a hole in the one is the ring of the other


def test_every_arc_is_decoded_as_the_specification_says():
    """A second implementation, point by point, of a state that does not cross the antimeridian."""
    world = json.loads((project_folder("data") / places.WORLD).read_text(encoding="utf-8"))
    (kx, ky), (dx, dy) = world["transform"]["scale"], world["transform"]["translate"]
    entry = next(
        shape for shape in world["objects"]["countries"]["geometries"] if shape.get("id") == "860"
    )
    points = []
    for number in entry["arcs"][0]:
        x = y = 0
        arc = []
        for step_x, step_y in world["arcs"][number if number >= 0 else -number - 1]:
            x, y = x + step_x, y + step_y
            arc.append((x * kx + dx, y * ky + dy))
        points += (arc if number >= 0 else arc[::-1])[1 if points else 0 :]
    ours = next(shape for shape in places.shapes() if shape.iso3 == "UZB")
    assert ours.rings[0] == pytest.approx(np.array(points))


def test_holds_agrees_with_matplotlib_and_knows_holes(world):
    rng = np.random.default_rng(9)
    for state in ("TJK", "UZB", "TUR", "ITA"):
        low, high = (
            np.vstack(world[state].rings).min(axis=0) - 1,
            np.vstack(world[state].rings).max(axis=0) + 1,
        )
        points = rng.uniform(low, high, (200, 2))
        other = (
            sum(Path(ring).contains_points(points).astype(int) for ring in world[state].rings) % 2
            == 1
        )
        assert [world[state].holds(*point) for point in points] == other.tolist()
    maseru = places.capital("LSO")
    assert (world["LSO"].holds(*maseru), world["ZAF"].holds(*maseru)) == (True, False)
    assert world["RUS"].holds(-172, 66) and world["RUS"].holds(
        188, 66
    )  # Chukotka, east of the antimeridian, written either way


def test_each_capital_lies_in_its_state_or_within_a_degree(world):
    far = set()
    for state, shape in world.items():
        x, y = places.capital(state)
        if not shape.holds(x, y):
            edges = np.vstack(
                [np.linspace(ring[:-1], ring[1:], 20).reshape(-1, 2) for ring in shape.rings]
            )
            if np.hypot((edges[:, 0] - x + 180) % 360 - 180, edges[:, 1] - y).min() > 1:
                far.add(state)
    assert far <= TOO_SMALL
    inside = sum(shape.holds(*places.capital(state)) for state, shape in world.items())
    assert inside >= 160


def test_every_state_of_the_incidents_has_a_capital():
    rows = cape.load().incidents
    assert {*rows["origin"], *rows["host"].dropna()} <= set(places.capitals().index)


@pytest.mark.parametrize(
    ("state", "name", "longitude", "latitude"),
    [
        ("KAZ", "Astana", 71.4, 51.2),
        ("UZB", "Tashkent", 69.3, 41.3),
        ("XKX", "Pristina", 21.2, 42.7),
        ("USA", "Washington", -77.0, 38.9),
    ],
)
def test_capitals_lie_where_an_atlas_has_them(state, name, longitude, latitude):
    assert places.capitals().loc[state, "capital"] == name
    assert places.capital(state) == pytest.approx((longitude, latitude), abs=0.15)


def test_unknown_states_and_states_without_a_capital_are_refused():
    with pytest.raises(ParameterError, match="did you mean TJK"):
        places.capital("TAJ")
    with pytest.raises(ParameterError, match="no capital on record for ATA, Antarctica"):
        places.capital("ATA")


def test_loading_the_shapes_takes_less_than_a_fifth_of_a_second():
    seconds = []
    for _ in range(3):
        places.shapes.cache_clear()
        start = time.perf_counter()
        places.shapes()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.2
