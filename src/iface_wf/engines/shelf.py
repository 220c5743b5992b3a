"""The shelf: a folder in which calculations are done, each once, whoever asks for it and how often.

It is the working folder; for jobs of a queue, each of which has a working folder of its own, the environment variable
``IFACE_WF_SHELF`` names a common one. A calculation runs in ``calc-<key>`` under an exclusive lock and leaves its
document there. Whoever comes later takes the document; who comes at the same time waits; who follows a killed one goes
on from its checkpoint. So a result that could not be stored is not lost, and not calculated again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from pydantic import ValidationError

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.errors import CalculationError

VARIABLE = "IFACE_WF_SHELF"
_DOCUMENT, _LOCK = "document.json", ".lock"


def common_shelf() -> Path | None:
    """Return the shelf that all jobs of a queue share; None outside of queues."""
    path = os.environ.get(VARIABLE)
    return Path(path) if path else None


def calculate_once(
    place: Path,
    usable: Callable[[CalculationDocument], bool],
    calculate: Callable[[Path], CalculationDocument],
    log: AbstractContextManager[None],
    force: bool = False,
) -> tuple[CalculationDocument, bool]:
    """Return a calculation's document from its place on the shelf, or calculate it there.

    Parameters
    ----------
    place
        Folder of the calculation; made on demand.
    usable
        Whether a document that lies there is the answer.
    calculate
        Runs the calculation in the folder.
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
    """
    place.mkdir(parents=True, exist_ok=True)
    with _locked(place / _LOCK):
        document = None if force else _read(place / _DOCUMENT)
        if document is not None and usable(document):
            return document, True
        with log:
            document = calculate(place)
            _write(place / _DOCUMENT, document)
    return document, False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # a program started from here keeps the lock, so that one which outlives a killed job for a moment is waited for
            os.set_inheritable(descriptor, True)
        except OSError as error:
            raise CalculationError(
                f"The file system of {path.parent} knows no locks ({error.strerror}): choose another work folder."
            ) from error
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> CalculationDocument | None:
    try:
        return CalculationDocument.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):  # torn documents cannot be, but files can be damaged
        return None


def _write(path: Path, document: CalculationDocument) -> None:
    """Write a document whole or not at all."""
    draft = path.with_suffix(".part")
    with draft.open("w", encoding="utf-8") as file:
        file.write(document.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
