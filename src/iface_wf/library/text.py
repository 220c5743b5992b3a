"""Text files of users and of other programs: any encoding, any line ends, bounded size."""

from __future__ import annotations

import codecs
from pathlib import Path

from iface_wf.errors import InputError
from iface_wf.library.files import read_bytes

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path: Path, max_bytes: int) -> str:
    """Read a text file whatever its encoding; a name or comment in another one is no reason to refuse its numbers.

    Parameters
    ----------
    path
        A regular file.
    max_bytes
        Largest size allowed.

    Returns
    -------
    str
        The text without byte-order mark and with plain line ends; bytes that are not UTF-8 are read as Latin-1.

    Raises
    ------
    InputError
        If it is missing, no regular file (a pipe would block for ever), too large, or binary.
    """
    data = read_bytes(path, max_bytes)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\x00" in text:
        raise InputError(f"{path} is a binary file, not text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")
