"""The shelf: a folder in which calculations are done, each once, whoever asks for it and how often.

It is the working folder; for jobs of a queue, each of which has a working folder of its own, the environment variable
``IFACE_WF_SHELF`` names a common one. A calculation runs in ``calc-<key>`` under an exclusive lock and leaves its
document there. Whoever comes later takes the document; who comes at the same time waits; who follows a killed one goes
on from its checkpoint. So a result that could not be stored is not lost, and not calculated again.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.errors import CalculationError, OutageError
from iface_wf.store.checksum import DamagedError, checked_text, sealed

VARIABLE = "IFACE_WF_SHELF"
_DOCUMENT, _LOCK = "document.json", ".lock"
_log = logging.getLogger(__name__)


def common_shelf() -> Path | None:
    """Return the shelf that all jobs of a queue share; None outside of queues."""
    path = os.environ.get(VARIABLE)
    return Path(path) if path else None


def calculate_once(
    place: Path,
    same: Callable[[CalculationDocument], bool],
    usable: Callable[[CalculationDocument], bool],
    calculate: Callable[[Path, CalculationDocument | None], CalculationDocument],
    log: AbstractContextManager[None],
    force: bool = False,
) -> tuple[CalculationDocument, bool]:
    """Return a calculation's document from its place on the shelf, or calculate it there.

    Parameters
    ----------
    place
        Folder of the calculation; made on demand.
    same
        Whether a document that lies there is of the same calculation, atom by atom.
    usable
        Whether it is the answer, then.
    calculate
        Runs the calculation in the folder; gets the document of the same calculation that is no answer, if there is one.
    log
        Entered when a calculation starts, left when its document lies on the shelf.
    force
        Calculate even if there is an answer.

    Returns
    -------
    tuple
        The document, and whether it lay there.

    Raises
    ------
    CalculationError
        When the file system of the shelf knows no locks.
    OutageError
        When the folder was deleted while the calculation ran in it, and that was its end.
    """
    with _locked(place) as still_there:
        before = None if force else _read(place / _DOCUMENT)
        if before is not None and not same(before):
            before = None
        if before is not None and usable(before):
            return before, True
        with log:
            try:
                document = calculate(place, before)
            except Exception as error:
                if still_there():
                    raise
                raise OutageError(f"The folder {place} was deleted while a calculation ran in it.") from error
            if still_there():
                _write(place / _DOCUMENT, document)
                return document, False
            return _without_place(place, document), False


def _without_place(place: Path, document: CalculationDocument) -> CalculationDocument:
    """Keep the document of a calculation whose folder was deleted meanwhile, unless somebody has begun there anew."""
    what = f"the folder {place} was deleted while it ran"
    _log.warning("%s", what[:1].upper() + what[1:])
    if (place / _LOCK).exists():
        return document.with_note("shelf", what, calculated="twice")
    document = document.with_note("shelf", what, calculated="to its end")
    place.mkdir(parents=True, exist_ok=True)
    _write(place / _DOCUMENT, document)
    return document


@contextmanager
def _locked(place: Path) -> Iterator[Callable[[], bool]]:
    """Make a folder and hold its exclusive lock; gives a function that says whether the folder is still there."""
    path = place / _LOCK
    while True:
        place.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor, place)
            if _is_file(
                path, descriptor
            ):  # while we waited the folder may have been deleted: then this lock is nobody's
                # a program started from here keeps it, so that one which outlives a killed job for a moment is waited for
                os.set_inheritable(descriptor, True)
                yield partial(_is_file, path, descriptor)
                return
        finally:
            os.close(descriptor)


def _lock(descriptor: int, place: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise CalculationError(
            f"The file system of {place} knows no locks ({error.strerror}): choose another work folder."
        ) from error


def _is_file(path: Path, descriptor: int) -> bool:
    """Whether a path is still the file that is open."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _read(path: Path) -> CalculationDocument | None:
    try:
        return CalculationDocument.model_validate_json(checked_text(path.read_bytes())[0])
    except (FileNotFoundError, ValidationError, DamagedError):  # torn documents cannot be, but files can be damaged
        return None


def _write(path: Path, document: CalculationDocument) -> None:
    """Write a document whole or not at all."""
    draft = path.with_suffix(".part")
    with draft.open("w", encoding="utf-8") as file:
        file.write(sealed(document.model_dump_json()))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
