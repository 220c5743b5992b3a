"""Find fillers, polymers, molecules and salts by name, in the package's data and in the user's own folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import platformdirs
from pymatgen.core import Structure

from iface_wf.errors import InputError, shown, unknown_name
from iface_wf.library.crystals import NAMED, about_gap, is_poscar_name, looks_like_slab, read_crystal
from iface_wf.library.files import is_file, is_folder
from iface_wf.library.loader import read_record
from iface_wf.library.records import FillerRecord, LibraryRecord, MoleculeRecord, PolymerRecord, SaltRecord, SurfaceSpec

Kind = Literal["filler", "polymer", "molecule", "salt"]
R = TypeVar("R", bound=LibraryRecord)
LIBRARY_VARIABLE = "IFACE_WF_LIBRARY"
_MODELS: dict[str, type[LibraryRecord]] = {
    "filler": FillerRecord,
    "polymer": PolymerRecord,
    "molecule": MoleculeRecord,
    "salt": SaltRecord,
}
_YAML_SUFFIXES = (".yaml", ".yml")
_OWN_FILE = "a CIF, POSCAR, extended XYZ or YAML file"


def builtin_folder() -> Path:
    """Folder of the library that comes with the package (its installed data, else the source checkout)."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "data" / "structures"
    return installed if installed.is_dir() else package.parents[1] / "structures"


def user_folder() -> Path:
    """Folder of the user's own records: ``$IFACE_WF_LIBRARY``, else the platform's configuration folder."""
    given = os.environ.get(LIBRARY_VARIABLE)
    return Path(given).expanduser() if given else platformdirs.user_config_path("iface-wf") / "library"


class _Shelf(NamedTuple):
    """Records of one kind by name, and by name what is wrong with those that cannot be used."""

    records: dict[str, LibraryRecord]
    problems: dict[str, str]


class Library:
    """Records by name; case is ignored.

    Parameters
    ----------
    folder
        The user's own folder, with sub-folders ``fillers``, ``polymers``, ``molecules``, ``salts`` (YAML) and ``crystals``
        (CIF, POSCAR), every one optional. By default ``$IFACE_WF_LIBRARY``, else the platform's
        configuration folder, which need not exist.

    Raises
    ------
    InputError
        If a folder that was asked for does not exist.

    Examples
    --------
    >>> import iface_wf
    >>> library = iface_wf.Library()
    >>> library.names("salt")
    ['LiFSI', 'LiPF6', 'LiTFSI']
    >>> library.filler("lithium iodide").surfaces[0].miller
    (0, 0, 1)
    >>> library.polymer("PEO").psmiles
    '*CCO*'
    >>> library.polymer("PEOO")
    Traceback (most recent call last):
        ...
    iface_wf.errors.InputError: Unknown polymer 'PEOO': did you mean ...
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        if folder is not None and not isinstance(folder, str | Path):
            raise InputError(f"The folder of a library must be a path, not {shown(folder)}.")
        self.folder = Path(folder).expanduser() if folder is not None else user_folder()
        asked = folder is not None or LIBRARY_VARIABLE in os.environ
        if asked and not is_folder(self.folder):
            raise InputError(f"The library folder {shown(str(self.folder), 200)} does not exist.")
        self._shelves: dict[str, _Shelf] = {}

    def filler(self, name: str | Path) -> FillerRecord:
        """Give the filler of a name, or read the user's own YAML, CIF, POSCAR or extended XYZ when it is a file.

        A name of the library comes before a file whose name says nothing of its kind.

        Raises
        ------
        InputError
            If the name is unknown, or the file cannot be used.
        """
        if isinstance(name, Path) or names_a_file(name):
            return filler_from_file(Path(name))
        try:
            return self._get("filler", name, FillerRecord)
        except InputError as error:
            if is_file(Path(name)):
                return filler_from_file(Path(name))
            raise _about_path(name) or InputError(
                f"{error} A filler that is not in the library is given as {_OWN_FILE}, for example --filler {_example(name)}."
            ) from None

    def polymer(self, name: str) -> PolymerRecord:
        """Give the polymer of a name; InputError with the nearest names if it is unknown."""
        try:
            return self._get("polymer", name, PolymerRecord)
        except InputError as error:
            if self.find("molecule", name) is None:
                raise
            raise InputError(
                f"{error} {name.strip()} is a molecule: give it as such (--molecule, molecules)."
            ) from None

    def molecule(self, name: str) -> MoleculeRecord:
        """Give the molecule of a name; InputError with the nearest names if it is unknown."""
        return self._get("molecule", name, MoleculeRecord)

    def salt(self, name: str) -> SaltRecord:
        """Give the salt of a name; InputError with the nearest names if it is unknown."""
        return self._get("salt", name, SaltRecord)

    def names(self, kind: Kind) -> list[str]:
        """All names of one kind, sorted, without aliases."""
        return [record.name for record in self.records(kind)]

    def all_names(self, kind: Kind) -> list[str]:
        """All names of one kind with aliases, sorted."""
        return sorted({name for record in self.records(kind) for name in (record.name, *record.aliases)})

    def find(self, kind: Kind, name: str) -> LibraryRecord | None:
        """Give the record that a name or alias stands for; None where it is unknown or its file cannot be used."""
        shelf, key = self._shelf(kind), name.strip().casefold()
        return None if key in shelf.problems else shelf.records.get(key)

    def records(self, kind: Kind) -> list[LibraryRecord]:
        """All records of one kind, sorted by name."""
        shelf = self._shelf(kind)
        found = {record.name: record for key, record in shelf.records.items() if key not in shelf.problems}
        return sorted(found.values(), key=lambda record: record.name.casefold())

    def problems(self, kind: Kind) -> dict[str, str]:
        """Say by name why a file of the user cannot be used; it stops only those who ask for its record."""
        return dict(self._shelf(kind).problems)

    def _get(self, kind: Kind, name: str, model: type[R]) -> R:
        shelf, key = self._shelf(kind), name.strip().casefold()
        if key in shelf.problems:
            raise InputError(shelf.problems[key])
        record = shelf.records.get(key)
        if record is None:
            unknown = unknown_name(kind, name, [r.name for r in shelf.records.values()])
            raise InputError(f"{unknown} {next(iter(shelf.problems.values()))}") if shelf.problems else unknown
        assert isinstance(record, model)
        return record

    def _shelf(self, kind: Kind) -> _Shelf:
        if kind not in _MODELS:
            raise unknown_name("kind of record", kind, _MODELS)
        if kind not in self._shelves:
            self._shelves[kind] = self._load(kind)
        return self._shelves[kind]

    def _load(self, kind: str) -> _Shelf:
        shelf = _Shelf({}, {})
        came_from: dict[str, Path] = {}
        for root in (builtin_folder(), self.folder):
            for path in sorted((root / f"{kind}s").glob("*.y*ml")):
                try:
                    record = _read(path, _MODELS[kind])
                except InputError as error:
                    if root != self.folder:
                        raise
                    shelf.problems[path.stem.casefold()] = str(error)
                    continue
                for key in {n.casefold() for n in (record.name, *record.aliases)}:
                    if key in shelf.records:  # a user's file must not quietly change what a built-in name means
                        shelf.problems[key] = f"{path} and {came_from[key]} both define the {kind} {key!r}."
                    shelf.records[key] = record
                    came_from[key] = path
        return shelf


def filler_from_file(path: Path) -> FillerRecord:
    """Make a filler of the user's own YAML record, or of a bare crystal file (a bulk crystal or a slab).

    Parameters
    ----------
    path
        YAML by its suffix; of other files that of `iface_wf.library.crystals.read_crystal`.

    Returns
    -------
    FillerRecord
        For a bare bulk crystal with the surface (001) and a thickness of 8 A; for a bare slab (empty
        space of 6 A or more along c) a record that uses it as it is.

    Raises
    ------
    InputError
        If the file is missing, of another kind, or not usable as a crystal.
    """
    if not is_file(path):
        raise _about_path(str(path)) or InputError(f"The file {str(path)[:300]} does not exist.")
    if path.suffix.lower() in _YAML_SUFFIXES:
        record = _read(path, FillerRecord)
        assert isinstance(record, FillerRecord)
        return record
    return record_of(read_crystal(path), path)


def record_of_slab(slab: Structure, path: Path) -> FillerRecord:
    """Make a filler of the slab of an interface that a user's file holds."""
    return record_of(slab, path, is_slab=True)


def record_of(structure: Structure, path: Path, is_slab: bool | None = None) -> FillerRecord:
    """Make a filler of a structure that a user's file holds, by default a slab where it looks like one; see `filler_from_file`."""
    states = _guess_states(structure) if structure.is_ordered else {}
    is_slab = looks_like_slab(structure) if is_slab is None else is_slab
    record = FillerRecord(
        name=structure.composition.reduced_formula,
        title=f"{structure.composition.reduced_formula} from the user's file",
        source=f"the user's file {path.name}",
        crystal=path.name,
        ready_slab=is_slab,
        oxidation_states=states,
        warnings=(
            *structure.properties.get("warnings", ()),
            *([] if is_slab else about_gap(structure, path.name)),
            *([_about(states)] if len(structure.composition) > 1 else []),
        ),
        surfaces=(SurfaceSpec(miller=(0, 0, 1), thickness=8.0, reason="default of a bare crystal file"),),
    )
    record._crystal_path = path.resolve()
    return record


def _guess_states(structure: Structure) -> dict[str, float]:
    """Guess formal charges from the formula; none for an element or where no guess is whole."""
    if len(structure.composition) == 1:
        return {}
    guesses = structure.composition.oxi_state_guesses(max_sites=-1)
    return {e: float(q) for e, q in guesses[0].items()} if guesses else {}


def _about(states: dict[str, float]) -> str:
    if not states:
        return "No oxidation states could be guessed: whether the slab is polar is not judged."
    listed = ", ".join(f"{element} {charge:+g}" for element, charge in states.items())
    return f"Oxidation states were guessed from the formula: {listed}."


def names_a_file(name: str) -> bool:
    """Whether a name can only be that of a structure file or record."""
    path = Path(name)
    return path.suffix.lower() in (*NAMED, *_YAML_SUFFIXES) or is_poscar_name(path.name)


def _example(name: str) -> str:
    """Give a name of a file to show, of a formula that was asked for in vain."""
    return f"{name}.cif" if re.fullmatch(r"[A-Za-z0-9()]{1,30}", name) else "mine.cif"


def _about_path(name: str) -> InputError | None:
    """Say why no file is read under a name that is a path; None for a mere word, which may name a folder by chance."""
    path = Path(name)
    if is_folder(path) and path.name != name:
        return InputError(f"{shown(name, 200)} is a folder: give {_OWN_FILE} in it.")
    if "/" in name:
        return InputError(f"The file {shown(name, 200)} does not exist.")
    return None


def _read(path: Path, model: type[LibraryRecord]) -> LibraryRecord:
    """Read a record; a filler's crystal is a plain file name beside it or in the ``crystals`` folder."""
    record = read_record(path, model)
    if isinstance(record, FillerRecord):
        if Path(record.crystal).name != record.crystal:
            raise InputError(f"{path}: 'crystal' must be a file name without folders, not {record.crystal[:80]!r}.")
        places = (path.parent / record.crystal, path.parent.parent / "crystals" / record.crystal)
        found = [place for place in places if place.is_file()]
        if not found:
            raise InputError(f"{path}: the crystal file {record.crystal!r} lies neither beside it nor in 'crystals'.")
        record._crystal_path = found[0].resolve()
    return record
