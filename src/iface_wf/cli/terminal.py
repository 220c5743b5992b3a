"""What reaches a terminal: lines without what would steer it, in characters that it knows."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

#: Longest sentence, characters.
LONGEST = 1000


def one_line(text: str) -> str:
    """Return a text as one line of bearable length; control characters are written out."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text[: 2 * LONGEST].split()))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def write_anything() -> None:
    """Let no character stop the output: where a terminal knows ASCII only, its nearest letter or its number is written."""
    codecs.register_error("iface-wf", _nearest)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="iface-wf")


def _nearest(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wanted = error.object[error.start : error.end]
    plain = "".join(c for c in unicodedata.normalize("NFKD", wanted) if c.isascii())
    return plain or wanted.encode("ascii", "backslashreplace").decode(), error.end
