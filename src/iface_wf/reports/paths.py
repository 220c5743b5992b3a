"""Places for files that are written: nothing is replaced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from iface_wf.errors import InputError, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FIGURE_FORMATS = ("png", "svg", "pdf")
_NO_TIME: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def new_file(path: Path, replace: bool | None = None) -> Path:
    """Check that a file can be written without replacing another one.

    Parameters
    ----------
    path
        The file.
    replace
        Allow that it replaces a file of before; None where nobody can allow it.

    Raises
    ------
    InputError
        When the file exists or its folder does not, and for a name that no file can have.
    """
    try:
        there, homeless = path.exists(), not path.parent.is_dir()
    except OSError as error:
        raise InputError(f"{shown(str(path), 200)} cannot be written: {error.strerror}.") from error
    if there and not (replace and path.is_file()):
        advice = "or remove it first" if replace is None or not path.is_file() else "or --force to replace it"
        raise InputError(f"{path} exists already; give another name {advice}.")
    if homeless:
        raise InputError(f"The folder {path.parent} does not exist.")
    return path


def require_folder(path: Path) -> Path:
    """Refuse what is no folder and cannot become one, before anything is read or drawn for it (`InputError`)."""
    try:
        nearest = next((each for each in (path, *path.absolute().parents) if each.exists()), path)
        if not nearest.is_dir():
            raise InputError(f"{nearest} is a file, not a folder for what is written.")
    except OSError as error:
        raise InputError(f"{shown(str(path), 200)} cannot be used as a folder: {error.strerror}.") from error
    return path


def folder(path: Path) -> Path:
    """Create a folder unless it is there; InputError where it cannot be created."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {path} cannot be made: {error.strerror}.") from error
    return path


def new_folder(path: Path) -> Path:
    """Create a folder for results, or accept an empty one.

    Raises
    ------
    InputError
        When it holds files already or cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise InputError(f"The folder {path} is not empty; give another one.")
    except OSError as error:
        raise InputError(f"The folder {path} cannot be used: {error.strerror}.") from error
    return path


def save(figure: Figure, path: Path, fmt: str = "png") -> None:
    """Write a figure; a file of that name is replaced.

    Parameters
    ----------
    figure
        The figure.
    path
        The file.
    fmt
        ``png``, ``svg`` or ``pdf``; without the time in it, so that the same figure is the same file.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    from matplotlib import rc_context

    try:
        with rc_context({"svg.hashsalt": "iface-wf"}):  # else names inside the file are random
            figure.savefig(path, format=fmt, metadata=_NO_TIME.get(fmt))
    except OSError as error:
        raise InputError(f"The picture {path} cannot be written: {error.strerror}.") from error
