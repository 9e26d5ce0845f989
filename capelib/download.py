"""A file from an address: whole or not at all, within bounds of size and time."""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from capelib import __version__

if TYPE_CHECKING:
    from requests import Response, Session

REDIRECTS = 5
# What stands behind the path of an address, and who opens it, may name a person.
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*://)(?:[^/?#]*@)?(?P<rest>[^?#]*).*", re.DOTALL)
PASSING = {429, 500, 502, 503, 504}  # answers that another attempt may change


class DownloadFailed(Exception):
    """Why an address gave no file, in words.

    Attributes
    ----------
    short : str
        The same for a remark in brackets: "answer 404", or the name of a library's error.
    passing : bool
        Whether another attempt may succeed.
    """

    def __init__(self, words: str, short: str = "", passing: bool = False) -> None:
        super().__init__(words)
        self.short = short
        self.passing = passing


class TooLarge(DownloadFailed):
    """The answer has more bytes than were allowed."""


class TooSlow(DownloadFailed):
    """The download was not finished in the time allowed."""


def without_secrets(address: str) -> str:
    """An address without user, password, query and fragment.

    >>> without_secrets("https://me:secret@example.org/a/b.csv?token=1#c")
    'https://example.org/a/b.csv'
    """
    whole = _ADDRESS.fullmatch(address)
    return f"{whole['scheme']}{whole['rest']}" if whole else address


def download(address: str, to: Path, largest: int, seconds: float, silence: float) -> str:
    """What is the SHA-256 of the file at an address, now stored here?

    pooch downloads too, without bounds: a server that sends a byte now and then, or an answer of
    a few kB that unpacks to many GB, would never end.

    Parameters
    ----------
    address
        An http or https address.
    to
        Where the file shall lie. It is put there when it has arrived whole.
    largest
        Bytes that it may have, unpacked.
    seconds
        Time that the whole download may take.
    silence
        Seconds that the server may stay silent.

    Returns
    -------
    str
        The checksum in hexadecimal digits.

    Raises
    ------
    DownloadFailed
        Where the server does not give the file; `TooLarge`, `TooSlow` at the bounds.
    OSError
        Where the file cannot be written.
    """
    import requests
    import urllib3

    end = time.monotonic() + seconds
    part = to.with_name(f"{to.name}.part")
    digest = hashlib.sha256()
    try:
        with (
            requests.Session() as session,
            _answer(session, address, silence, end) as answer,
            part.open("wb") as file,
        ):
            for block in _blocks(answer, largest, end):
                digest.update(block)
                file.write(block)
        part.replace(to)
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        words = f"the server was silent for {silence:g} seconds"
        raise DownloadFailed(words, type(error).__name__, passing=True) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise DownloadFailed(_reason(error), type(error).__name__, passing=True) from None
    except ValueError as error:
        words = f"the server's answer cannot be read ({error})"
        raise DownloadFailed(words, type(error).__name__) from None
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


@contextmanager
def _answer(session: "Session", address: str, silence: float, end: float) -> "Iterator[Response]":
    """The answer at the end of the redirects.

    They are followed by hand: requests reads the body of each to its end, however long it is,
    even when told not to follow. It asks this method of the session whether to.
    """
    target_of = session.get_redirect_target
    session.get_redirect_target = lambda resp: None  # noqa: ARG005 - requests names the argument
    for _ in range(REDIRECTS + 1):
        with _head(session, address, silence, end) as answer:
            target = target_of(answer)
            if target is None:
                _require_success(answer)
                yield answer
                return
        address = urljoin(address, target)
        scheme = urlsplit(address).scheme
        if scheme not in ("http", "https"):
            words = f"the address redirects to {scheme}:, which is not the web"
            raise DownloadFailed(words, "InvalidSchema")
    raise DownloadFailed(f"the address redirects more than {REDIRECTS} times", "TooManyRedirects")


def _head(session: "Session", address: str, silence: float, end: float) -> "Response":
    """The answer with its header lines, if they have come at the end of the time.

    requests bounds the silence between two bytes only, and a server may send a byte now and then.
    """
    answers: SimpleQueue[Response | BaseException] = SimpleQueue()
    headers = {"User-Agent": f"capelib/{__version__}", "Accept-Encoding": "identity"}

    def ask() -> None:
        try:
            answers.put(session.get(address, stream=True, timeout=silence, headers=headers))
        except BaseException as error:
            answers.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, end - time.monotonic()))
    except Empty:
        raise TooSlow("the download was not finished in time") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _require_success(answer: "Response") -> None:
    code = answer.status_code
    if code == 200:
        return
    words = f"the server answered {code} {answer.reason}".strip()
    passing = code in PASSING
    if not passing:
        words += ": the address may have moved"
    raise DownloadFailed(words, f"answer {code}", passing)


def _blocks(answer: "Response", largest: int, end: float) -> Iterator[bytes]:
    """The unpacked bytes of an answer, as they arrive."""
    promised = answer.headers.get("Content-Length", "")
    if promised.isdecimal() and int(promised) > largest:
        raise TooLarge(f"the answer has {promised} bytes, more than {largest}")
    size = 0
    # read1 returns at each packet, so that the clock is looked at; a read of a whole block waits
    while block := answer.raw.read1(1 << 16, decode_content=True):
        size += len(block)
        if size > largest:
            raise TooLarge(f"the answer has more than {largest} bytes")
        if time.monotonic() > end:
            raise TooSlow("the download was not finished in time")
        yield block


def _reason(error: BaseException | None) -> str:
    """What the system says of a failed connection, from the errors of three libraries around it."""
    while error:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        error = error.__cause__ or error.__context__
    return "the answer broke off or was not HTTP"
