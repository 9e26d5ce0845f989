"""Long loops say how far they are: on one line, and only where somebody looks."""

import io
from types import SimpleNamespace

import pytest
from jupyter_client.manager import start_new_kernel

from capelib import progress as module
from capelib.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only where a test says so."""
    seconds = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: seconds[0])
    return seconds


@pytest.fixture
def terminal(monkeypatch):
    return stderr(monkeypatch, Terminal())


def stderr(monkeypatch, stream):
    """For the module alone: pytest puts its own in place of sys.stderr for each test."""
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=stream, modules={}))
    return stream


def walk(clock, seconds, count=4):
    for item in progress(range(count), "choices"):
        clock[0] += seconds
        yield item


def test_a_long_loop_rewrites_one_line_of_the_terminal_and_leaves_it_blank(clock, terminal):
    assert list(walk(clock, 3)) == [0, 1, 2, 3]
    line = module._CLEARED
    assert terminal.getvalue() == (
        f"{line}1 of 4 choices, about 9 s left{line}2 of 4 choices, about 6 s left"
        f"{line}3 of 4 choices, about 3 s left{line}"
    )


def test_a_short_loop_shows_nothing(clock, terminal):
    list(walk(clock, module.AFTER / 5))
    assert not terminal.getvalue()


def test_hundreds_of_items_make_two_states_a_second(clock, terminal):
    list(walk(clock, 0.01, count=500))
    states = terminal.getvalue().count("about")
    assert 0 < states <= (5 - module.AFTER) / module.EVERY + 1


def test_a_pipe_shows_nothing(clock, monkeypatch):
    pipe = stderr(monkeypatch, io.StringIO())
    list(walk(clock, 3))
    assert not pipe.getvalue()


def test_a_loop_inside_another_is_silent_and_a_broken_one_frees_the_line(clock, terminal):
    with pytest.raises(ZeroDivisionError):
        for _ in progress(range(3), "rows"):
            list(walk(clock, 3))
            if " rows, " in terminal.getvalue():
                raise ZeroDivisionError
    assert "choices" not in terminal.getvalue()
    assert terminal.getvalue().endswith(module._CLEARED)
    list(walk(clock, 3))
    assert "choices" in terminal.getvalue()


CELL = """
import time
from capelib import progress as module
module.AFTER, module.EVERY = 0.0, 0.0
for item in module.progress(range({items}), "choices"):
    time.sleep(0.01)
    {body}
"""


def outputs(client, cell, looks):
    """What a cell leaves in a saved notebook, in a kernel that can be asked or not."""
    messages = []
    client.execute_interactive(
        cell, allow_stdin=looks, output_hook=messages.append, stdin_hook=print, timeout=60
    )
    kept = [each for each in messages if each["msg_type"] in ("display_data", "stream", "error")]
    updates = [each for each in messages if each["msg_type"] == "update_display_data"]
    return kept, updates


@pytest.mark.slow
def test_a_notebook_keeps_one_line_and_none_where_nobody_looks():
    """nbclient, and with it papermill and nbconvert, runs cells that cannot ask."""
    manager, client = start_new_kernel()
    try:
        kept, updates = outputs(client, CELL.format(items=300, body="pass"), looks=True)
        assert [each["msg_type"] for each in kept] == ["display_data"]
        last = updates[-1]["content"]["data"]["text/plain"]
        assert last.startswith("300 of 300 choices in ")
        assert len(updates) > 100
        kept, updates = outputs(client, CELL.format(items=300, body="pass"), looks=False)
        assert not kept and not updates
        kept, updates = outputs(client, CELL.format(items=9, body="1 / (5 - item)"), looks=True)
        assert updates[-1]["content"]["data"]["text/plain"].endswith(", stopped")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
