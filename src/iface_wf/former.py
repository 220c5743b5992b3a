"""Names of before: accepted for one release, with a hint that says the name of today. Remove what is here with the next one."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence

#: Keys of specs, requests and library files, and keywords of Python.
KEYS = {
    "n_placements": "placements",
    "min_in_plane": "in_plane",
    "cell": "in_plane",
    "cores": "processes",
    "work_dir": "workdir",
}
#: Options of the command line.
OPTIONS = {"--cores": "--processes", "--work-dir": "--workdir"}
#: Values of options.
VALUES = {("--what", "cdd"): "density_difference"}
#: Columns of tables, in conditions and for sorting.
COLUMNS = {"ok": "trustworthy", "charge_transfer_B": "charge_transfer_polymer"}


class FormerNameWarning(UserWarning):
    """A name of before was used; the text says the name of today."""


def todays_key(key: str, allowed: Collection[str]) -> str | None:
    """Return what a key of before is called today, if that is allowed where it stands; else None."""
    name = KEYS.get(key)
    if name is None or name not in allowed:
        return None
    hint(key, name)
    return name


def todays_column(name: str) -> str:
    """Return what a column is called today."""
    if name in COLUMNS:
        hint(name, COLUMNS[name])
    return COLUMNS.get(name, name)


def todays_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line with the options and values of today.

    Parameters
    ----------
    arguments
        What follows the program's name.
    """
    renamed: list[str] = []
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if option in OPTIONS:
            hint(option, OPTIONS[option])
            option = OPTIONS[option]
        previous = renamed[-1] if renamed else ""
        if (new := VALUES.get((option, value))) is not None:
            hint(value, new)
            value = new
        elif not equals and (new := VALUES.get((previous, option))) is not None:
            hint(option, new)
            option = new
        renamed.append(f"{option}{equals}{value}")
    return renamed


def hint(before: str, today: str) -> None:
    """Say what a name of before is called today."""
    warnings.warn(f"{before} is called {today} now; the name of before goes with the next release.",
                  FormerNameWarning, stacklevel=2)  # fmt: skip
