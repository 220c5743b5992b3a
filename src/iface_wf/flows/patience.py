"""Wait for what is away for a while: a disk that is full, a server that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jobflow import JobStore

from iface_wf.errors import OutageError
from iface_wf.outages import outage_of, patience, require_room
from iface_wf.store.claims import Claim, claims_of
from iface_wf.store.presence import require_file

T = TypeVar("T")
#: Longest rest between two looks, s; it doubles from the first one.
FIRST_REST, LONGEST_REST = 1.0, 30.0
GO_ON = "What is finished is kept: the same command goes on from there."


def patiently(work: Callable[[], T], store: JobStore, workdir: Path, tell: Callable[[str], None]) -> T:
    """Do something that may meet an outage, and do it again when that is over.

    Parameters
    ----------
    work
        Does it; a second call goes on where the first one had to stop.
    store
        Where results go.
    workdir
        Folder of the calculations.
    tell
        Is told what is waited for, once for each outage.

    Returns
    -------
    object
        What the work gave.

    Raises
    ------
    OutageError
        When the outage lasts longer than `iface_wf.outages.patience`, from the first time that it stopped this work.
    """
    began, rest, told = None, FIRST_REST, ""
    while True:
        try:
            if began is not None:
                _look(store, workdir)
            return work()
        except Exception as error:
            require_file(store)
            outage = outage_of(error)
            if outage is None or outage.final:
                raise
            outage = _where(outage, workdir)
            began = time.monotonic() if began is None else began
            left = began + patience() - time.monotonic()
            if left <= 0:
                waited = f" It was waited for {patience():g} s." if patience() else ""
                raise OutageError(f"{outage}{waited} {GO_ON}", final=True) from error
            if str(outage) != told:
                told = str(outage)
                tell(f"{told} Tried again for {left:.0f} s.")
        time.sleep(min(rest, left))
        rest = min(2 * rest, LONGEST_REST)


def _where(outage: OutageError, workdir: Path) -> OutageError:
    """Name the disk, where that of the work folder is the one that is full."""
    try:
        require_room(workdir)
    except OutageError as error:
        return error
    return outage


def _look(store: JobStore, workdir: Path) -> None:
    """Try whether the outage is over, before hours are spent on what cannot be kept."""
    workdir.mkdir(parents=True, exist_ok=True)
    require_room(workdir)
    claims = claims_of(store)
    if claims is not None:
        probe = Claim.of_this_process(f"probe of {Claim('', '').token}")
        claims.take(probe, 1.0, finished=False)
        claims.drop(probe)
