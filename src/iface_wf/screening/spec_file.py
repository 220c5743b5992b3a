"""The file that describes a screening, read and checked: what is wrong is told with the number of its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from iface_wf.builders.spec import counted
from iface_wf.errors import IfaceError, InputError, validate
from iface_wf.library.files import is_file, line_of, parse_mapping, read_text
from iface_wf.library.library import Library, names_a_file
from iface_wf.screening.choices import Choice
from iface_wf.screening.spec import ScreeningSpec

#: More interfaces than this need an explicit consent: such a spec is a slip more often than a wish.
MANY_PAIRS = 10_000
C = TypeVar("C", bound=Choice)


def read_spec(path: Path, many: bool = False, library: Library | None = None) -> ScreeningSpec:
    """Read a screening's file.

    Parameters
    ----------
    path
        YAML file.
    many
        Accept more than `MANY_PAIRS` interfaces.
    library
        Its names come before files that happen to be called so.

    Returns
    -------
    ScreeningSpec
        Checked; structure files of fillers with absolute paths.

    Raises
    ------
    InputError
        In one sentence, with the number of the line.
    """
    text = read_text(path)
    data = parse_mapping(text, str(path))
    spec = validate(data, ScreeningSpec, lambda loc, message: f"{path}, line {line_of(text, loc or _blamed(message))}")
    if spec.n_pairs > MANY_PAIRS and not many:
        raise InputError(
            f"{path}, line {line_of(text, ('fillers',))}: the screening has {spec.n_pairs:,} interfaces, more than "
            f"{MANY_PAIRS:,}; give --yes if that is meant."
        )
    own_files = {
        "fillers": [_beside(path, each, "filler", library or Library()) for each in spec.fillers],
        "molecules": [_beside(path, each, "molecule", library or Library()) for each in spec.molecules],
        "interfaces": [_beside(path, each, None, library or Library()) for each in spec.interfaces],
        "partners": [_beside(path, each, "molecule", library or Library()) for each in spec.partners],
    }
    beside = tuple(_beside_molecule(path, text) for text in spec.beside)
    return spec.model_copy(update=own_files | {"beside": beside})


def _beside_molecule(path: Path, text: str) -> str:
    """Give the file of a molecule that lies beside others its absolute path."""
    count, name = counted(text)
    own = path.parent / name
    return f"{count} {own.resolve()}" if is_file(own) and name.lower().endswith(".xyz") else text


def _beside(path: Path, choice: C, kind: Literal["filler", "molecule"] | None, library: Library) -> C:
    """Give a structure file of the user its absolute path; relative ones begin at the folder of the screening's file."""
    own = path.parent / choice.name
    if (
        kind is not None
        and not names_a_file(choice.name)
        and (kind == "molecule" or library.find(kind, choice.name) is not None)
    ):
        return choice
    return choice.model_copy(update={"name": str(own.resolve())}) if is_file(own) else choice


def check_names(path: Path, spec: ScreeningSpec, library: Library) -> None:
    """Look up all names of a spec, and name the line of the first one that is unknown.

    Raises
    ------
    InputError
        In one sentence, with the number of the line.
    """
    text = read_text(path)
    lists: dict[str, list[Any]] = {
        "fillers": list(spec.fillers), "polymers": list(spec.polymers), "salts": list(spec.salts),
    }  # fmt: skip
    finders = {"fillers": library.filler, "polymers": library.polymer, "salts": library.salt}
    for kind, choices in lists.items():
        for index, choice in enumerate(choices):
            name = choice if isinstance(choice, str) else choice.name
            if (kind == "polymers" and "*" in name) or (kind == "salts" and name.casefold() == "none"):
                continue
            try:
                finders[kind](name)
            except IfaceError as error:
                raise InputError(f"{path}, line {line_of(text, (kind, index))}: {error}") from error
    for index, own in enumerate(spec.interfaces):
        if not is_file(Path(own.name)):
            place = line_of(text, ("interfaces", index))
            raise InputError(f"{path}, line {place}: the interface {own.name[:300]} is no file, or does not exist.")


def _blamed(message: str) -> tuple[str, ...]:
    """Name the key that a problem of the whole file is most likely about."""
    for word, key in (
        ("'reactions'", "reactions"),
        ("no reactions", "quantities"),
        ("'target'", "target"),
        ("'copies'", "copies"),
        ("'faces'", "faces"),
        ("'beside'", "beside"),
        ("held_layers", "fillers"),
        ("partners", "partners"),
        ("fillers", "fillers"),
        ("setting", "overrides"),
        ("funnel", "funnel"),
        ("level", "level"),
        ("engine", "engine"),
        ("interface", "polymers"),
    ):
        if word in message:
            return (key,)
    return ()
