"""Results in one file for a colleague: a zip that holds a store and says what it is."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from jobflow import JobStore

from iface_wf import __version__
from iface_wf.documents.upgrade import SCHEMA_VERSION
from iface_wf.errors import InputError
from iface_wf.store.settings import open_embedded
from iface_wf.store.transfer import Transfer, copy

_STORE, _ABOUT = "store.sqlite", "about.json"
#: Largest description of an archive, bytes.
_MOST = 100_000
Tell = Callable[[int, int], None]


def export_archive(store: JobStore, path: Path, keys: Collection[str] | None, tell: Tell) -> Transfer:
    """Write a zip with results, the calculations that they rest on and their densities.

    Parameters
    ----------
    store
        Connected job store.
    path
        File to write; it must not exist.
    keys
        Of results; None: everything.
    tell
        Is told how many documents have been dealt with.

    Raises
    ------
    InputError
        When the file exists or cannot be written, and as of `iface_wf.store.transfer.copy`.
    """
    path = path.expanduser().absolute()
    if path.exists():
        raise InputError(f"{path} exists already: give another file.")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".iface-wf-export-") as folder:
            inner, packed = Path(folder) / _STORE, Path(folder) / "archive.zip"
            with open_embedded(inner) as target:
                done = copy(store, target, keys, tell=tell)
            about = {"program": "iface-wf", "version": __version__, "schema_version": SCHEMA_VERSION}
            about |= {"documents": dict(done.copied), "densities": done.densities}
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(_ABOUT, json.dumps(about, indent=1))
                archive.write(inner, _STORE)
            os.link(packed, path)  # unlike a renaming it refuses a file that has come meanwhile
    except FileExistsError as error:
        raise InputError(f"{path} exists already: give another file.") from error
    except OSError as error:
        raise InputError(f"The archive {path} cannot be written: {error.strerror}.") from error
    return done


def import_archive(store: JobStore, path: Path, tell: Tell) -> Transfer:
    """Copy what an archive holds into a store; what is there already stays as it is.

    Parameters
    ----------
    store
        Connected job store.
    path
        An archive of `export_archive`.
    tell
        Is told how many documents have been dealt with.

    Raises
    ------
    InputError
        For a file that is no such archive or is damaged, for want of room, and as of `iface_wf.store.transfer.copy`.
    """
    with _unpacked(path) as inner, open_embedded(inner) as source:
        return copy(source, store, tell=tell)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Give the store of an archive as a file."""
    with tempfile.TemporaryDirectory(prefix="iface-wf-import-") as folder:
        inner = Path(folder) / _STORE
        _unpack(path, inner)
        yield inner


#: What zipfile, its decompression and the reading of what it holds say of a file that is no archive of ours: no zip file, another one, encrypted, cut off,
#: with another byte.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    AttributeError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def _unpack(path: Path, inner: Path) -> None:
    """Unpack the store of an archive; nothing else of it is unpacked, whatever it is called there."""
    try:
        with zipfile.ZipFile(path) as archive:
            member, about = archive.getinfo(_STORE), archive.getinfo(_ABOUT)
            if about.file_size > _MOST or json.loads(archive.read(about)).get("program") != "iface-wf":
                raise KeyError(_ABOUT)
            if member.file_size > shutil.disk_usage(inner.parent).free:
                raise InputError(
                    f"{path} would take {member.file_size / 1e9:.2g} GB in {inner.parent}: there is no room for it."
                )
            with archive.open(member) as packed, inner.open("wb") as file:
                shutil.copyfileobj(packed, file)  # zipfile stops at the size that was announced
    except FileNotFoundError as error:
        raise InputError(f"The archive {path} does not exist.") from error
    except _DAMAGED as error:
        raise InputError(f"{path} is no archive of iface-wf store export, or is damaged.") from error
    except OSError as error:
        raise InputError(f"The archive {path} cannot be read: {error.strerror}.") from error
