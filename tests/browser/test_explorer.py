"""The explorer in the browser: counts against pandas, files, addresses, keyboard, map and axis."""

import io
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import at

import capelib as cape
from capelib.reference.places import capitals
from capelib.site.explorer_data import world

PAGE = "explorer/index.html"
COLUMNS = {
    "origin": "origin",
    "host": "host",
    "stage": "stage",
    "measure": "measure",
    "category": "category",
    "source": "source_kind",
    "edition": "added",
    "doubtful": "doubtful",
    "alleged": "attribution",
}
FACETS = list(COLUMNS)


@pytest.fixture(scope="module")
def rows():
    """The incidents as pandas has them, with text in each filter's column."""
    joined = cape.load().joined()
    frame = joined[["incident_id", "exile_id", "year", "date", "outcome", "source_id"]].copy()
    for facet, column in COLUMNS.items():
        values = joined[column].astype(object)
        if facet == "doubtful":
            values = values.map({True: "yes", False: None})
        frame[facet] = values.where(values.notna(), "none").astype(str)
    return frame


def kept(rows, chosen):
    """The incidents that pandas keeps."""
    fits = pd.Series(True, index=rows.index)
    for name, wanted in chosen.items():
        if name in COLUMNS:
            fits &= rows[name].isin(wanted)
    years = rows["year"]
    if "from" in chosen:
        fits &= (years >= chosen["from"]).fillna(False).astype(bool)
    if "to" in chosen:
        fits &= (years <= chosen["to"]).fillna(False).astype(bool)
    return rows[fits]


def drawn(rows, seed):
    """A selection drawn by chance: some filters, some values each, sometimes years."""
    draw = random.Random(seed)
    chosen = {}
    for name in FACETS:
        values = sorted(rows[name].unique())
        if draw.random() < 0.35:
            chosen[name] = draw.sample(values, min(len(values), draw.randint(1, 4)))
    if draw.random() < 0.5:
        chosen["from"] = draw.randint(1993, 2024)
    if draw.random() < 0.4:
        chosen["to"] = draw.randint(chosen.get("from", 1993), 2025)
    return chosen


def address(chosen):
    parts = [
        f"{name}={','.join(wanted) if isinstance(wanted, list) else wanted}"
        for name, wanted in chosen.items()
    ]
    return "&".join(parts)


def shown(page):
    return int(page.inner_text("#count").split(" of ")[0].replace(",", ""))


def opened(page, state=""):
    page.goto(at(f"{PAGE}#{state}" if state else PAGE), wait_until="load")
    page.wait_for_selector("#explore[data-ready=yes]")


def go(page, state):
    """Change the address as a link would."""
    page.evaluate(
        "state => new Promise(done => { addEventListener('hashchange', () => done(), {once: true});"
        "if (location.hash === '#' + state) done(); location.hash = state; })",
        state,
    )


def test_sixty_selections_count_as_pandas_does(page, rows):
    opened(page)
    some = 0
    for seed in range(60):
        chosen = drawn(rows, seed)
        wanted = kept(rows, chosen)
        go(page, address(chosen))
        words = page.inner_text("#count")
        assert shown(page) == len(wanted), chosen
        assert f"against {wanted['exile_id'].nunique():,} exile" in words, chosen
        some += 0 < len(wanted) < len(rows)
    assert some > 30  # not only selections of nothing or everything


def box_counts(page):
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('details.facet')].map(facet => ["
        "facet.dataset.facet, Object.fromEntries([...facet.querySelectorAll('label')].map(line => "
        "[line.querySelector('input').value, "
        "Number(line.querySelector('.count').textContent.replace(/,/g, ''))]))]))"
    )


@pytest.mark.parametrize("seed", range(100, 106))
def test_a_box_says_how_many_it_would_give(page, rows, seed):
    """The count beside each value is that of pandas with this filter set to it, others kept."""
    chosen = drawn(rows, seed)
    opened(page, address(chosen))
    counts = box_counts(page)
    assert list(counts) == FACETS
    for name in FACETS:
        others = kept(rows, {key: value for key, value in chosen.items() if key != name})
        expected = others[name].value_counts()
        assert counts[name] == {
            value: int(expected.get(value, 0)) for value in rows[name].unique()
        }, name


@pytest.mark.parametrize("state", ["", "host=RUS&stage=3", "origin=TJK&host=none&from=2012"])
def test_the_csv_is_the_selection_id_by_id(page, rows, state):
    opened(page, state)
    with page.expect_download() as download:
        page.click("#csv")
    content = Path(download.value.path()).read_bytes()
    text = content.decode("utf-8-sig")
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    chosen = {
        part.split("=")[0]: part.split("=")[1].split(",") for part in state.split("&") if part
    }
    chosen = {key: int(value[0]) if key == "from" else value for key, value in chosen.items()}
    wanted = kept(rows, chosen)
    assert frame["incident_id"].tolist() == wanted["incident_id"].tolist()
    assert frame["outcome"].tolist() == wanted["outcome"].fillna("").tolist()
    info = cape.load().info
    assert frame["dataset"].str.contains(f"edition {info.edition}, sha256 {info.sha256[:12]}").all()
    assert frame["citation"].str.contains("capelib contributors").all()
    assert frame["citation"].str.contains(f"Selection: {state}", regex=False).all() == bool(state)
    assert info.edition in download.value.suggested_filename


def test_capelib_reads_the_csv_as_it_reads_the_record(page, tmp_path):
    opened(page, "origin=UZB&measure=rendition,extradition")
    with page.expect_download() as download:
        page.click("#csv")
    file = tmp_path / "selection.csv"
    download.value.save_as(file)
    ds = cape.load(file)
    record = cape.load().where(origin="UZB", measure=["rendition", "extradition"])
    columns = ["incident_id", "exile_id", "origin", "host", "date", "measure"]
    read, expected = (
        each.incidents[columns].astype(object).where(lambda frame: frame.notna(), "").astype(str)
        for each in (ds, record)
    )
    assert read.to_dict("list") == expected.to_dict("list")
    assert ds.set_aside.empty


def test_the_workbook_is_the_selection_in_words(page, rows, tmp_path):
    opened(page, "origin=TJK&category=religious")
    with page.expect_download() as download:
        page.click("#xlsx")
    file = tmp_path / "selection.xlsx"
    download.value.save_as(file)
    sheets = pd.read_excel(
        file, sheet_name=None, dtype=str, keep_default_na=False, header=None, engine="calamine"
    )
    incidents, about = sheets["incidents"], sheets["about"]
    wanted = kept(rows, {"origin": ["TJK"], "category": ["religious"]})
    assert incidents.iloc[1:, 0].tolist() == wanted["incident_id"].tolist()
    assert set(incidents.iloc[1:, 2]) == {"Tajikistan"}
    facts = dict(zip(about[0], about[1], strict=True))
    assert facts["Edition"] == cape.load().info.edition
    assert facts["sha256"] == cape.load().info.sha256
    assert facts["Address"].endswith("#origin=TJK&category=religious")


def test_back_forward_and_reload(page, rows):
    opened(page)
    everything = shown(page)
    page.locator("[data-facet=origin] input[value=TJK]").check()
    tajik = shown(page)
    assert tajik == len(kept(rows, {"origin": ["TJK"]}))
    page.fill("#from", "2015")
    page.press("#from", "Tab")
    later = shown(page)
    assert later == len(kept(rows, {"origin": ["TJK"], "from": 2015}))
    page.go_back()
    assert shown(page) == tajik
    assert page.input_value("#from") == ""
    page.go_back()
    assert shown(page) == everything
    page.go_forward()
    page.go_forward()
    assert shown(page) == later
    page.reload()
    page.wait_for_selector("#explore[data-ready=yes]")
    assert shown(page) == later
    assert page.locator("[data-facet=origin] input[value=TJK]").is_checked()
    assert page.input_value("#from") == "2015"
    page.click("#clear")
    assert shown(page) == everything
    assert "#" not in page.url


def test_every_control_is_in_the_address(page):
    """What is shared shows the same page: each control changes the address, and comes back."""
    opened(page)
    steps = [
        lambda: page.click("#later"),
        lambda: page.evaluate(
            "document.querySelector('[data-facet=host] input[value=RUS]').click()"
        ),
        lambda: page.evaluate(
            "document.querySelector('[data-facet=stage] input[value=\"3\"]').click()"
        ),
        lambda: page.evaluate("document.querySelector('[data-facet=source] input').click()"),
        lambda: page.evaluate("document.querySelector('[data-facet=doubtful] input').click()"),
        lambda: page.evaluate("document.querySelector('[data-facet=alleged] input').click()"),
        lambda: page.evaluate("document.querySelector('[data-facet=edition] input').click()"),
        lambda: page.fill("#to", "2020") or page.press("#to", "Tab"),
        lambda: page.click("#sort-measure"),
        lambda: page.evaluate(
            "(box => { box.value = '2'; box.dispatchEvent(new Event('change')); })"
            "(document.getElementById('definition'))"
        ),
    ]
    seen = [page.url]
    for step in steps:
        step()
        assert page.url not in seen
        seen.append(page.url)
    page.evaluate("document.getElementById('whole').open = true")
    before = page.inner_text("#explore")
    opened(page, page.url.partition("#")[2])
    assert page.inner_text("#explore") == before


def focused(page, test, most=400):
    """Press Tab until the element in focus passes a test of JavaScript."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"(each => {test})(document.activeElement)"):
            return
    raise AssertionError(f"the Tab key never reaches {test}")


def test_a_whole_task_by_keyboard_alone(page, rows):
    """Tajikistan, ended or attacked, from 2015 on: chosen and downloaded without a mouse."""
    opened(page)
    focused(page, "each.type === 'search' && each.closest('[data-facet=origin]')")
    page.keyboard.type("tajik")
    focused(page, "each.type === 'checkbox'")
    page.keyboard.press("Space")
    focused(page, "each.tagName === 'SUMMARY' && each.textContent.startsWith('Stage')")
    page.keyboard.press("Enter")
    focused(page, "each.type === 'checkbox' && each.value === '3'")
    page.keyboard.press("Space")
    focused(page, "each.id === 'from'")
    page.keyboard.type("2015")
    focused(page, "each.id === 'csv'")
    wanted = kept(rows, {"origin": ["TJK"], "stage": ["3"], "from": 2015})
    assert shown(page) == len(wanted) > 0
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).read_bytes().count(b"\r\n") == len(wanted) + 1


@pytest.mark.parametrize(
    "state",
    [
        "origin=TAJ",
        "sort=toString",
        "page=99999",
        "page=-3",
        "from=abc",
        "origin=%00<img src=x onerror=alert(1)>",
        "from=2020&to=2010",
        "origin=TJK,TJK",
        "exile=__proto__",
        "%E0%A4%A=1",
        "=",
        "I0001",
    ],
)
def test_an_odd_address_gives_a_page_and_a_sentence(page, rows, state):
    opened(page, state)
    assert 0 <= shown(page) <= len(rows)
    assert page.locator("main img[src=x]").count() == 0
    if state.split("=")[0] in ("sort", "from", "exile") and "to=" not in state:
        assert "Not in the data" in page.inner_text("#unknown")
        assert shown(page) == len(rows)
    if state == "page=99999":
        last = -(-len(rows) // 50)
        assert f"page {last} of {last}" in page.inner_text("#page")
    if state == "origin=TJK,TJK":
        assert shown(page) == len(kept(rows, {"origin": ["TJK"]}))


def ends(page):
    """Where the lines of the map start and end."""
    paths = page.evaluate(
        "[...document.querySelectorAll('#map .line')].map(x => x.getAttribute('d'))"
    )
    numbers = [[int(each) for each in re.findall(r"-?\d+", path)] for path in paths]
    return [(tuple(each[:2]), tuple(each[-2:])) for each in numbers]


def test_every_line_of_the_map_joins_two_capitals(page, rows):
    """Incidents without a host have no line; none ends where both coordinates are 0."""
    states = sorted((set(rows["origin"]) | set(rows["host"])) - {"none"})
    known = world(states)["capitals"]
    allowed = {tuple(point): state for state, point in known.items()}
    assert set(known) <= set(capitals().index)
    opened(page)
    lines = ends(page)
    pairs = rows[rows["host"] != "none"].groupby(["origin", "host"]).size()
    pairs = pairs[pairs >= 3]
    expected = {(o, h) for o, h in pairs.index if o != h and o in known and h in known}
    assert {(allowed[start], allowed[end]) for start, end in lines} == expected
    assert len(lines) == len(expected)
    go(page, "host=none")
    assert ends(page) == []
    assert "without a host" in page.inner_text("#left-out")


def test_the_largest_corridors_are_those_of_pandas(page, rows):
    opened(page, "origin=UZB")
    page.check("#all-corridors")
    table = page.evaluate(
        "[...document.querySelectorAll('#corridors tbody tr')].map(row => "
        "[...row.children].map(cell => cell.textContent))"
    )
    counts = rows[(rows["origin"] == "UZB") & (rows["host"] != "none")]["host"].value_counts()
    names = cape.states()
    assert {host: int(n) for _, host, n in table} == {names[h]: int(n) for h, n in counts.items()}


@pytest.mark.parametrize("state", ["", "origin=KAZ", "origin=TJK&from=2005&to=2011"])
def test_no_year_is_missing_on_the_axis(page, rows, state):
    opened(page, state)
    page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
    table = page.evaluate(
        "[...document.querySelectorAll('#timetable tbody tr')].map(row => "
        "[...row.children].map(cell => Number(cell.textContent.replace(',', ''))))"
    )
    years = rows["year"].dropna()
    first, last = (2005, 2011) if "from" in state else (int(years.min()), int(years.max()))
    assert [line[0] for line in table] == list(range(first, last + 1))
    part = rows if not state else rows[rows["origin"] == state[7:10]]
    counts = pd.crosstab(part["year"], part["stage"])
    expected = counts.reindex(range(first, last + 1), fill_value=0)
    assert np.array(table)[:, 1:4].tolist() == expected[["1", "2", "3"]].to_numpy().tolist()


def test_a_group_ticks_its_hosts(page, rows):
    opened(page, "origin=TJK")
    page.locator("[data-facet=host] > summary").click()
    options = page.locator("[data-facet=host] option").all_text_contents()
    [chosen] = [words for words in options if words.startswith("Council of Europe")]
    page.select_option("[data-facet=host] select", label=chosen)
    members = cape.memberships.members("CoE", 2024)
    assert shown(page) == len(kept(rows, {"origin": ["TJK"], "host": members}))
    assert "host=" in page.url


def test_a_group_is_one_chip_and_incidents_without_a_year_are_a_click_away(page, rows):
    opened(page, "origin=TJK&category=religious&from=2015")
    page.locator("[data-facet=measure] > summary").click()
    page.select_option("[data-facet=measure] select", label="Sent or taken back")
    chips = page.locator("#chips").inner_text()
    assert "Measure: Sent or taken back (3)" in chips
    assert "Rendition" not in chips
    chosen = {"origin": ["TJK"], "category": ["religious"]}
    chosen["measure"] = ["deportation", "extradition", "rendition"]
    assert shown(page) == len(kept(rows, chosen | {"from": 2015}))
    page.get_by_role("button", name="Show all years").click()
    assert shown(page) == len(kept(rows, chosen))
    page.get_by_role("button", name="Remove Measure: Sent or taken back (3)").click()
    del chosen["measure"]
    assert shown(page) == len(kept(rows, chosen))


def test_all_incidents_of_an_exile(page, rows):
    key = rows["exile_id"].value_counts().index[0]
    opened(page, f"exile={key}")
    assert shown(page) == (rows["exile_id"] == key).sum()
    assert page.locator("#incidents tbody tr").count() == min(50, shown(page))


def test_sorting_is_said_and_kept(page):
    opened(page, "origin=TJK")
    page.click("#sort-measure")
    assert page.get_attribute("th:has(#sort-measure)", "aria-sort") == "ascending"
    words = page.locator("#incidents tbody td:nth-child(4)").all_text_contents()
    assert words == sorted(words)
    assert page.evaluate("document.activeElement.id") == "sort-measure"
    page.click("#sort-measure")
    assert page.get_attribute("th:has(#sort-measure)", "aria-sort") == "descending"


def test_no_address_that_holds_a_name_is_linked(page, rows):
    sources = cape.load().sources.set_index("source_id")
    named = sources.index[sources["name_in_address"].fillna(False).astype(bool)]
    [key, *_] = [each for each in named if each in set(rows["source_id"])]
    exile = rows.loc[rows["source_id"] == key, "exile_id"].iloc[0]
    opened(page, f"exile={exile}")
    cell = page.locator("#incidents td[data-title=Source]", has_text=f"{key},").first
    assert sources.loc[key, "publisher"] in cell.inner_text()
    assert cell.locator("a").count() == 0


def test_the_share_is_that_of_the_notebooks_function(page):
    ds = cape.load().where(stage=(2, 3), host_not="RUS")
    expected = cape.hosts.host_shares(ds.joined(), (2014, 2020), (2021, 2021), "row", "1").change
    opened(page, "share=row-1-without-RUS")
    assert (
        "Regimes of the World: autocracies (<= 1); without the host Russia"
        in page.locator("#definition option:checked").inner_text()
    )
    words = page.inner_text("#share-answer")
    late, early = expected.group, expected.others
    for side in (late, early):
        percent = [round(100 * value) for value in (side.share, side.low, side.high)]
        text = f"{percent[0]} % [{percent[1]} to {percent[2]} %], n = {side.n}"
        assert text in words


def test_links_and_citation_are_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, "origin=TJK&from=2015")
    for button, words in (
        ("#link", "#origin=TJK&from=2015"),
        ("#cite", "Selection: origin=TJK&from=2015"),
        ("#embed", "<iframe src="),
    ):
        page.click(button)
        page.wait_for_selector(f"{button}:has-text('Copied')")
        assert words in page.evaluate("navigator.clipboard.readText()")


def test_in_a_frame_the_results_stand_alone(page, served):
    page.goto(f"{served}index.html")
    page.evaluate(
        "address => { const frame = document.createElement('iframe'); frame.src = address;"
        "frame.width = 900; frame.height = 900; document.body.append(frame); }",
        f"{served}{PAGE}#origin=TJK",
    )
    frame = page.frame_locator("iframe")
    frame.locator("#explore[data-ready=yes]").wait_for()
    assert frame.locator("#count").is_visible()
    assert frame.locator("#from-frame a").is_visible()
    assert not frame.locator("#filter-box").is_visible()
    assert not frame.locator(".bd-header").is_visible()


def test_without_a_script_the_table_can_be_downloaded(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(at(PAGE))
    assert page.locator("noscript a[href='../downloads/incidents.csv']").count() == 1
    assert not page.locator("#explore").is_visible()
    context.close()


def test_printing_shows_the_incidents_without_the_controls(page):
    opened(page, "origin=TJK&from=2020")
    page.emulate_media(media="print")
    assert page.locator("#incidents").is_visible()
    assert page.locator("#count").is_visible()
    for control in ("#filter-box", "#csv", "#later"):
        assert not page.locator(control).is_visible()
