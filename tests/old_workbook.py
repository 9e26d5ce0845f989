"""Writes a workbook of the old format (.xls) with texts, numbers and days, for tests only."""

import struct
from collections.abc import Sequence
from datetime import date

_NONE, _END = 0xFFFFFFFF, 0xFFFFFFFE
_SECTOR = 512


def old_workbook(sheets: dict[str, Sequence[Sequence[str | float | date | None]]]) -> bytes:
    """The bytes of a workbook with these rows under these names."""
    names = [_bound_sheet(name, 0) for name in sheets]
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 6))
    formats = b"".join(
        _record(0x00E0, struct.pack("<HH", 0, number) + bytes(16)) for number in (0, 14)
    )
    end = _record(0x000A, b"")
    place = len(start + formats + b"".join(names) + end)
    bodies, bound = [], []
    for name, rows in sheets.items():
        bound.append(_bound_sheet(name, place))
        bodies.append(_sheet(rows))
        place += len(bodies[-1])
    return _compound(start + formats + b"".join(bound) + end + b"".join(bodies))


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _bound_sheet(name: str, place: int) -> bytes:
    return _record(
        0x0085, struct.pack("<IBBBB", place, 0, 0, len(name), 0) + name.encode("latin-1")
    )


def _sheet(rows: Sequence[Sequence[str | float | date | None]]) -> bytes:
    width = max(map(len, rows), default=0)
    parts = [
        _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 6)),
        _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)),
    ]
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            place = struct.pack("<HH", row, column)
            if isinstance(cell, str):
                text = struct.pack("<HHB", 0, len(cell), 1) + cell.encode("utf-16-le")
                parts.append(_record(0x0204, place + text))
            elif isinstance(cell, date):
                days = (cell - date(1899, 12, 30)).days
                parts.append(_record(0x0203, place + struct.pack("<Hd", 1, days)))
            elif cell is not None:
                parts.append(_record(0x0203, place + struct.pack("<Hd", 0, cell)))
    return b"".join(parts) + _record(0x000A, b"")


def _compound(stream: bytes) -> bytes:
    """A compound file with the stream "Workbook", in sectors of its own."""
    stream = stream.ljust(4096, b"\0")
    sectors = -(-len(stream) // _SECTOR)
    stream = stream.ljust(sectors * _SECTOR, b"\0")
    if sectors > 120:
        raise ValueError("a larger file needs more than one sector of places")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", 0, *[_NONE] * 108)
    chain = [0xFFFFFFFD, _END, *range(3, 2 + sectors), _END]
    places = struct.pack("<128I", *chain, *[_NONE] * (128 - len(chain)))
    folder = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _NONE, 2, len(stream))
    return header + places + folder.ljust(_SECTOR, b"\0") + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    about = struct.pack("<HBBIII", len(text), kind, 1, _NONE, _NONE, child)
    return text.ljust(64, b"\0") + about + bytes(36) + struct.pack("<IQ", start, size)
