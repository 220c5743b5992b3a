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
COLUMNS = {
    "ok": "trustworthy",
    "charge_transfer_B": "charge_transfer_polymer",
    "binding_energy_cp": "binding_energy",
    "interaction_energy_cp": "interaction_energy",
}
_CORRECTED = "it is corrected wherever the basis is atom-centred, and the uncorrected one is called"
#: What else is to be known where a name of today does not mean all that the one of before meant.
REMARKS = {
    "charge_transfer_B": "the ions of a salt, which it counted too, have columns of their own",
    "binding_energy_cp": f"{_CORRECTED} binding_energy_raw",
    "interaction_energy_cp": f"{_CORRECTED} interaction_energy_raw",
}


class FormerNameWarning(UserWarning):
    """A name of before was used; the text says the name of today."""


def todays_key(key: str, allowed: Collection[str]) -> str | None:
    """Return what a key of before is called today, if that is allowed where it stands; else None."""
    name = KEYS.get(key)
    if name is None or name not in allowed:
        return None
    hint(key, name)
    return name


def todays_column(name: str, allowed: Collection[str]) -> str:
    """Return what a column is called today; a name that is allowed, or was never one, stays."""
    today = COLUMNS.get(name)
    if name in allowed or today is None or today not in allowed:
        return name
    hint(name, today)
    return today


def todays_value(option: str, value: str) -> str:
    """Return what a value of an option is called today."""
    new = VALUES.get((option, value))
    if new is None:
        return value
    hint(value, new)
    return new


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
    remark = f" ({REMARKS[before]})" if before in REMARKS else ""
    warnings.warn(f"{before} is called {today} now{remark}; the name of before goes with the next release.",
                  FormerNameWarning, stacklevel=2)  # fmt: skip
