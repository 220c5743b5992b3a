"""Read one library file into its record; whatever is wrong becomes one sentence naming file and key."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from iface_wf.errors import validate
from iface_wf.library.files import read_yaml
from iface_wf.library.records import LibraryRecord

R = TypeVar("R", bound=LibraryRecord)


def read_record(path: Path, model: type[R]) -> R:
    """Read and validate one library file.

    Parameters
    ----------
    path
        YAML file.
    model
        Record class that it must fit.

    Returns
    -------
    LibraryRecord
        The validated record.

    Raises
    ------
    InputError
        Naming the file, the key and, for an unknown key, the nearest allowed one.
    """
    return validate(read_yaml(path), model, str(path))
