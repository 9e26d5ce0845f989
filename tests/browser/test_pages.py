"""Every kind of page: silent, from its own host alone, light, and readable for everybody."""

import gzip
from urllib.parse import quote, unquote, urlsplit

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from conftest import KINDS, SITE, at

AXE = AXE_FILE_PATH.read_text(encoding="utf-8")
SERIOUS = ("serious", "critical")
HEAVIEST = 150_000  # bytes of own data, gzipped, before a click


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_from_a_folder_is_silent_and_asks_nobody(page, kind):
    page.goto(at(KINDS[kind]), wait_until="load")
    assert page.locator("h1").count() == 1
    assert page.title()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_a_static_host_is_light(page, served, kind):
    page.goto(served + KINDS[kind], wait_until="networkidle")
    loaded = 0
    for address in dict.fromkeys(page.quiet.asked):
        path = SITE / unquote(urlsplit(address).path.lstrip("/"))
        if "_static" not in path.parts:  # the theme's, the same for all pages
            loaded += len(gzip.compress(path.read_bytes()))
    assert loaded < HEAVIEST, f"{loaded} bytes"


# Rows of a table, and words of code, whose tags and classes are those of one before are judged
# once: the ledger has 385 rows, and axe needs half a minute for them all.
LEAVE_OUT_WHAT_IS_ALIKE = """
document.querySelectorAll("main details").forEach(each => each.open = true);
const known = new Set();
const form = each => each.tagName + "." + each.className;
for (const each of document.querySelectorAll("main tbody tr, main pre span")) {
  const parts = [each.closest("table, pre"), each, ...each.querySelectorAll("*")].map(form);
  const kind = [...new Set(parts)].sort().join(" ");
  if (known.has(kind)) each.remove();
  known.add(kind);
}
"""


def faults(page, **options):
    """What axe calls serious or critical: rule, the first place, and how many places."""
    report = page.evaluate("options => axe.run(document, options)", {"preload": False} | options)
    return [
        (fault["id"], fault["nodes"][0]["target"], len(fault["nodes"]))
        for fault in report["violations"]
        if fault["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing_serious(page, kind, width):
    """In light all rules, in dark those of colour, the only ones that it can change."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(at(KINDS[kind]), wait_until="load")
    page.evaluate(LEAVE_OUT_WHAT_IS_ALIKE)
    page.evaluate(AXE)
    assert faults(page) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.wait_for_selector("html[data-theme=dark]")
    assert faults(page, runOnly=["color-contrast", "link-in-text-block"]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_sticks_out_of_the_window(page, kind):
    page.goto(at(KINDS[kind]), wait_until="load")
    for width in (1280, 768, 360):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        assert wide <= 0, width


def test_the_page_policy_refuses_another_host(browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(at("index.html"))
    refused = page.evaluate("fetch('https://example.org/').then(() => false, () => true)")
    picture = page.evaluate(
        "new Promise(done => { const each = new Image(); each.onload = () => done(false);"
        "each.onerror = () => done(true); each.src = 'https://example.org/a.png'; })"
    )
    violations = page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation', "
        "event => done(event.blockedURI)); new Image().src = 'https://example.org/b.png'; })"
    )
    context.close()
    assert refused and picture and violations.startswith("https://example.org")


def test_the_search_finds_a_method(page, served):
    page.goto(served + "search.html?q=wilson")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li").count() > 1


@pytest.mark.parametrize("kind", ["state", "publication"])
def test_the_search_finds_filled_pages(page, served, kind):
    page.goto(served + KINDS[kind])
    title = page.locator("h1").evaluate("heading => heading.firstChild.textContent")
    page.goto(served + f"search.html?q={quote(title)}")
    page.wait_for_selector(f"#search-results a[href*='{KINDS[kind]}']")


def test_the_search_works_from_a_folder(page):
    page.goto(at("search.html") + "?q=wilson")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li").count() > 1
