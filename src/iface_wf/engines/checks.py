"""Checks of what is installed on a machine, for ``iface-wf doctor``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from iface_wf.errors import InputError


class AbsentError(Exception):
    """A check found that something does not work; the text says what."""


class Check(NamedTuple):
    """One check of the installation.

    Attributes
    ----------
    name
        What is looked for.
    find
        Returns what was found, in words; raises `AbsentError`, InputError, ImportError or OSError if it is not there.
    remedy
        What to do about it.
    needed
        Whether the package is of no use without it.
    optional
        Whether the engine calculates without it, too.
    """

    name: str
    find: Callable[[], str]
    remedy: str
    needed: bool = False
    optional: bool = False

    def require(self) -> None:
        """Refuse to go on without what is looked for.

        Raises
        ------
        InputError
            Saying what is missing on this machine, and what to do about it.
        """
        try:
            self.find()
        except (AbsentError, InputError, ImportError, OSError) as error:
            cause = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise InputError(
                f"{self.name} is missing here, before anything is calculated: {cause}. {self.remedy}."
            ) from error


def find_program(name: str) -> str:
    """Return the path of a program, on PATH or beside Python's.

    Raises
    ------
    AbsentError
        When it is not there.
    """
    path = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        raise AbsentError(f"no program {name!r} on PATH")
    return path


def installed(distribution: str) -> str:
    """Return the version of a distribution.

    Raises
    ------
    AbsentError
        When it is not installed.
    """
    from importlib import metadata  # hundredths of a second, which --help does without

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as error:
        raise AbsentError(f"{distribution} is not installed") from error
