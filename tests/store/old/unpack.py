"""The store that an older version filled, unpacked for a test, and the library that it was filled from."""

import lzma
from pathlib import Path

from tests.tiny_library import write_crystal, write_library


def unpack_store(folder: Path) -> Path:
    """Write the store into a folder and return the file."""
    path = folder / "old.sqlite"
    path.write_bytes(lzma.decompress(Path(__file__).with_name("store.sqlite.xz").read_bytes()))
    return path


def library_of_the_store(folder: Path) -> Path:
    """Write the files of the library and return their folder."""
    write_library(folder)
    write_crystal(folder)
    return folder
