"""Debian's chromium, headless: the site is opened from its folder, or from a small server.

`make test-browser` makes the site first and runs these tests; `make test` does not collect them.
"""

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent.parent
SITE = Path(os.environ.get("CAPELIB_SITE", ROOT / "build" / "site")).resolve()
# One page of each kind.
KINDS = {
    "front": "index.html",
    "explorer": "explorer/index.html",
    "states": "states/index.html",
    "state": "states/KAZ.html",
    "ledger": "ledger/index.html",
    "publication": "ledger/fa2022longarm.html",
    "gallery": "figures/index.html",
    "figure": "figures/03_tajik_targeting/trend.html",
    "notebooks": "notebooks/index.html",
    "notebook": "notebooks/04_authoritarian_hosts.html",
    "tables": "notebooks/03_tajik_targeting.html",
    "lessons": "lessons/index.html",
    "lesson": "lessons/2_count.html",
    "teachers": "lessons/teaching.html",
    "comparison": "comparisons/04_authoritarian_hosts.html",
    "methods": "methods/index.html",
    "method": "methods/clustered.html",
    "referee": "methods/referee.html",
    "data": "data/index.html",
    "codebook": "data/codebook.html",
    "own table": "data/your-own-table.html",
    "reference": "reference/index.html",
    "module": "reference/shares.html",
    "cite": "about/cite.html",
    "changes": "about/changes.html",
    "search": "search.html",
}


@pytest.fixture(scope="session")
def browser():
    if not SITE.joinpath("index.html").exists():
        pytest.exit(f"{SITE} holds no site: run make site", 2)
    with sync_playwright() as driver:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        with driver.chromium.launch(executable_path=chromium) as browser:
            yield browser


class Quiet:
    """What a page put on the console, and what it asked of other hosts."""

    def __init__(self, context):
        self.words, self.asked = [], []
        context.on("console", self.heard)
        context.on("weberror", lambda error: self.words.append(str(error.error)))
        context.on("request", lambda request: self.asked.append(request.url))

    def heard(self, message):
        if message.type in ("error", "warning"):  # the theme itself logs which scheme it took
            self.words.append(f"{message.text} {message.location['url']}")

    @property
    def elsewhere(self):
        own = ("file:", "data:", "blob:", "http://127.0.0.1:")
        return [address for address in self.asked if not address.startswith(own)]


@pytest.fixture
def page(browser):
    """A fresh page; the test fails where it wrote to the console or asked another host."""
    context = browser.new_context(accept_downloads=True)
    quiet = Quiet(context)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.quiet = quiet
    yield page
    context.close()
    assert quiet.words == []
    assert quiet.elsewhere == []


@pytest.fixture(scope="session")
def served():
    """The address of the site on a static host."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def at(name: str) -> str:
    """The address of a page of the site's folder."""
    path, hash_, state = name.partition("#")
    return (SITE / path).as_uri() + hash_ + state
