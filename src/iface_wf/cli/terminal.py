"""What reaches a terminal: lines without what would steer it, in characters that it knows."""

from __future__ import annotations

import codecs
import io
import re
import sys
import unicodedata

from iface_wf.secrets import scrub

#: Longest sentence, characters.
LONGEST = 1000
#: A text without any of these holds no login; asking for more takes too long for tables of thousands of rows.
_MAY_TELL = re.compile(r"://|@|pass|token", re.IGNORECASE)


def without_logins(text: str) -> str:
    """Return a text for people in which addresses have no passwords."""
    return scrub(text) if _MAY_TELL.search(text) else text


def visible(text: str, keep: str = "\n\t") -> str:
    r"""Return a text that can steer no terminal.

    Parameters
    ----------
    text
        Any text.
    keep
        Control characters that stay.

    Returns
    -------
    str
        Control characters, marks that turn the direction of writing, and halves of characters are written as Python
        writes them: ``\x1b``, ``\u202e``.
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep or not steers(c) else c.encode("unicode_escape").decode() for c in text)


def steers(character: str) -> bool:
    """Whether a character steers a terminal instead of being shown."""
    category = unicodedata.category(character)
    return category[0] == "C" or category in ("Zl", "Zp")


def one_line(text: str) -> str:
    """Return a text as one line of bearable length that can steer no terminal."""
    line = visible(" ".join(text[: 2 * LONGEST].split()), keep="")
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
