"""The encoding of a text file, found out: those of the region's old programs beside Unicode.

charset-normalizer names 57 of 60 test texts in windows-1251 rightly, 47 of 60 in koi8-r and 15 of
29 in windows-1252; the rules here 60, 60 and 29. Of 60 tables each in cp866, Mac Cyrillic and
ISO 8859-5 it names 1, 50 and 60, the rules here all (so does chardet, which is not always there).
"""

import codecs
import re

from capelib.errors import DataError
from capelib.read.sheet import Notes

SAMPLE = 200_000  # bytes from which encoding and delimiter are judged
_REPLACEMENT = "\ufffd".encode()  # stands for a letter that could not be read
# how frequent the letters of Russian are, in three steps; the five other Cyrillic alphabets of the
# region share them
_FREQUENCY = (
    dict.fromkeys("оеаинтсрв", 3)
    | dict.fromkeys("лкмдпуяы", 2)
    | dict.fromkeys("ьгзбчйхжшюцщэфъё", 1)
)
_USUAL = ("cp1251", "koi8-r")
_OTHER = ("cp866", "mac_cyrillic", "iso8859-5")
# by how much one of the others must be more like Russian: small letters of the Mac are where
# those of windows-1251 are, so that capitals and я alone tell these two apart
_BETTER = 0.15
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF_8_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)

_WORD_BEYOND_ASCII = re.compile(  # looked at from its first letter only, however long it is
    rb"(?<![A-Za-z\x80-\xff])[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*"
)


def as_utf8(content: bytes, file: str, notes: Notes) -> bytes:
    """Which text do these bytes hold, as UTF-8?

    Parameters
    ----------
    content
        The bytes of a file.
    file
        Its name in messages.
    notes
        Takes the encoding, letters that could not be read, and NUL characters, which are left out.

    Raises
    ------
    DataError
        Where it is no text.
    """
    encoding, certainty = encoding_of(content)
    if encoding not in ("ascii", "utf-8") or certainty < 0.9:
        content = content.decode(encoding, errors="replace").encode("utf-8", "replace")
    content = content.removeprefix(codecs.BOM_UTF8)
    unread = content.count(_REPLACEMENT)
    nul = content.count(b"\0")
    sample = content[:SAMPLE].replace(_REPLACEMENT, b"\x01")
    control = len(re.findall(rb"[\0-\x08\x0e-\x1b\x7f]", sample))
    if control > 2 + len(sample) / 20:
        raise DataError(
            f"{file} is not text (most likely a file of another program): export it as CSV or xlsx"
        )
    if unread:
        certainty = min(certainty, 0.7)
        made = f"letters that could not be read and stand as \ufffd: {unread:,}"
        notes.add("read.letters", made, severity="guess", certainty=certainty)
    if nul:
        content = content.replace(b"\0", b"")
        notes.add("read.nul", f"NUL characters left out: {nul:,}", severity="guess")
    if encoding != "ascii":
        severity = "info" if certainty >= 0.9 else "guess"
        notes.add("read.encoding", f"read as {encoding}", severity=severity, certainty=certainty)
    return content


def encoding_of(content: bytes) -> tuple[str, float]:
    """In which encoding is a text, and how certain is that?

    Returns
    -------
    (str, float)
        Python's name of the encoding, and the certainty, 0 to 1.

    Notes
    -----
    Byte order marks first, then UTF-16 by its regular zero bytes, UTF-8 where it is valid, else
    one of the encodings of old Windows and Unix programs: windows-1252 unless most letters beyond
    ASCII form words of their own, as Cyrillic ones do; then windows-1251 or koi8-r by the
    frequency of letters.

    Examples
    --------
    >>> encoding_of("имя;страна".encode("cp1251"))[0]
    'cp1251'
    >>> encoding_of("Müller;Türkei".encode("cp1252"))[0]
    'cp1252'
    """
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding, 1.0
    if content.isascii() and b"\0" not in content:
        return "ascii", 1.0
    wide = _utf_16(content[:4096])
    if wide:
        return wide, 0.95
    try:
        content.decode("utf-8")
        return "utf-8", 1.0
    except UnicodeDecodeError as error:
        # a few broken letters, or one cut off at the end of the file, leave it UTF-8
        sample = content[:SAMPLE]
        whole = sum(len(letter) for letter in _UTF_8_LETTER.findall(sample))
        beyond_ascii = len(re.findall(rb"[\x80-\xff]", sample))
        if error.start > 0 and whole and whole > 0.9 * beyond_ascii:
            return "utf-8", 0.8
    return _eight_bit(content)


def _utf_16(sample: bytes) -> str:
    """UTF-16 without a mark: every other byte is 0 (Latin) or 4 (Cyrillic)."""
    even, odd = sample[0::2], sample[1::2]
    for high, low, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(high) <= 2 or not high.count(0):
            continue
        regular = high.count(0) + high.count(4) >= 0.9 * len(high)
        if regular and low.count(0) < 0.1 * len(low):
            return encoding
    return ""


def _eight_bit(content: bytes) -> tuple[str, float]:
    words = _WORD_BEYOND_ASCII.findall(content[: SAMPLE * 5])
    text = b" ".join(words)
    beyond_ascii = sum(byte > 0x7F for byte in text)
    own_words = sum(  # letters in words without any ASCII letter
        len(word) for word in words if re.fullmatch(rb"[\xa3\xb3\xa8\xb8\xc0-\xff]+", word)
    )
    other = _other_cyrillic(words, text, beyond_ascii)
    if other:
        return other
    if own_words < 0.6 * beyond_ascii:
        return "cp1252", 0.85 if own_words < 0.2 * beyond_ascii else 0.6
    scores = {
        encoding: _likeness_to_russian(text.decode(encoding, errors="replace"))
        for encoding in _USUAL
    }
    best = max(scores, key=scores.__getitem__)
    clear = scores[best] > 1.2 and scores[best] - min(scores.values()) > 0.5
    return best, 0.95 if clear else 0.6


def _other_cyrillic(words: list[bytes], text: bytes, beyond_ascii: int) -> tuple[str, float] | None:
    """A Cyrillic encoding of DOS, of the Mac or of Unix that fits much better than the usual ones.

    Only where the words are of letters beyond ASCII alone, as those of Western texts seldom are.
    """
    whole = sum(len(word) for word in words if len(word) > 2 and not re.search(rb"[A-Za-z]", word))
    if whole < 0.6 * beyond_ascii or not text:
        return None
    scores = {
        encoding: _likeness_to_russian(text.decode(encoding, errors="replace"))
        for encoding in (*_USUAL, *_OTHER)
    }
    usual = max(scores[encoding] for encoding in _USUAL)
    best = max(_OTHER, key=scores.__getitem__)
    if scores[best] <= 1 or scores[best] < usual + _BETTER:
        return None
    return best, 0.8


def _likeness_to_russian(text: str) -> float:
    """About 2 where letters look like Russian; capitals inside words count against it."""
    letters = [_FREQUENCY.get(letter, -1) for letter in text.lower() if letter > "\x7f"]
    inner_capitals = len(re.findall("[а-яё][А-ЯЁ]", text))
    return (sum(letters) - 3 * inner_capitals) / max(1, len(letters))
