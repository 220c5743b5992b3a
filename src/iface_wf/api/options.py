"""What the public functions take: options of requests, a store, a folder to work in."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from jobflow import JobStore

from iface_wf.errors import InputError
from iface_wf.store.settings import open_store

if TYPE_CHECKING:  # builders take a second, which tables do without
    from iface_wf.builders.molecules.oligomers import Conformation, Tacticity
    from iface_wf.builders.placing.targets import Target

Filler = str | Path
Surface = str | tuple[int, int, int]
Store: TypeAlias = str | Path | JobStore
BindingQuantity = Literal["binding_energy", "interaction_energy", "charges"]


class BindingOptions(TypedDict, total=False):
    """Options of the request of an interface, for type checkers; see `iface_wf.run`."""

    surface: Surface | None
    thickness: float | None
    sequence: str | None
    tacticity: Tacticity | None
    caps: Mapping[str, str] | None
    conformation: Conformation | None
    molecule: str | None
    molecule_charge: int | None
    salt: str | None
    salt_group: str | None
    salt_part: Literal["pair", "cation", "anion"] | None
    target: Target | None
    clearance: float | None
    engine: str | None
    level: str | None
    geometry: str | None
    overrides: Mapping[str, Any] | None
    placements: int | None
    search: int | None
    n_conformers: int | None
    seed: int | None
    in_plane: tuple[float, float] | None
    vacuum: float | None
    max_atoms: int | None
    processes: int | None


def opened(store: Store | None) -> JobStore:
    """Open a store by its address, see `iface_wf.store.settings.open_store`; an open one is taken as it is."""
    return store if isinstance(store, JobStore) else open_store(None if store is None else str(store))


def work_folder(given: str | Path | None) -> Path:
    """Return the folder of the calculations' files, created on demand: the given one, else ``iface-wf-runs`` here.

    Raises
    ------
    InputError
        When it cannot be created or written.
    """
    folder = Path(given) if given is not None else Path.cwd() / "iface-wf-runs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # of a name that nobody has
            pass
    except OSError as error:
        raise InputError(f"The working folder {folder} cannot be written: {error.strerror}.") from error
    return folder.resolve()
