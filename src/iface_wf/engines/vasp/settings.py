"""Type and range of each of our settings for VASP, and of INCAR tags."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from iface_wf.engines.settings import (
    MAX_ENTRIES,
    Elements,
    EngineSettings,
    Force,
    Hubbard,
    KpointLength,
    Steps,
    plain,
)
from iface_wf.engines.vasp.choices import METHOD_TAGS
from iface_wf.errors import shown

#: Tags that every calculation needs; of the others None leaves one out.
NEEDED = frozenset({"ENCUT", "EDIFF", "PREC"})
#: Ranges of tags that decide cost or trust: eV, eV, points, steps, cells.
RANGES: dict[str, tuple[float, float]] = {
    "ENCUT": (50.0, 3000.0),
    "EDIFF": (1e-12, 0.1),
    "EDIFFG": (-1.0, 1.0),
    "SIGMA": (0.0, 5.0),
    "NELM": (1, 10_000),
    "NSW": (0, 100_000),
    "NBANDS": (1, 100_000),
    **dict.fromkeys(("NGX", "NGY", "NGZ", "NGXF", "NGYF", "NGZF"), (1, 5000)),
}
#: Values that VASP has learned since pymatgen's table was written.
LATER = {
    "METAGGA": ("R2SCAN", "R2SCANL", "RSCAN", "SCANL", "RMS0", "RMS1", "RMS2", "OFR2", "LIBXC"),
    "IVDW": (3, 13, 15, 22, 26, 263),
    "ISMEAR": (),
    "IBRION": (11, 12, 40),
}
Potcar = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9_.]{0,30}$")]


@cache
def incar_tags() -> dict[str, dict[str, Any]]:
    """Return type and values of the INCAR tags that pymatgen knows, and of ours that it does not."""
    package = find_spec("pymatgen.io.vasp")
    assert package is not None
    assert package.origin is not None
    table: dict[str, dict[str, Any]] = json.loads(Path(package.origin).with_name("incar_parameters.json").read_text())
    return {name: {} for name in METHOD_TAGS} | table


def check_tag(name: str, value: Any) -> None:
    """Refuse a value that an INCAR tag cannot have.

    Raises
    ------
    ValueError
        Naming the tag, the value and what is allowed.
    """
    if value is None:
        if name in NEEDED:
            raise ValueError(f"{name} is needed in every calculation and cannot be left out")
        return
    known = incar_tags()[name]
    kinds = str(known.get("type", "float | int | bool | str | list")).split(" | ")
    if not any(_is(value, kind) for kind in kinds):
        raise ValueError(f"{name} cannot be {shown(value)}: allowed is {' or '.join(_WORDS[kind] for kind in kinds)}")
    low, high = RANGES.get(name, (-1e6, 1e6))
    if isinstance(value, int | float) and not low <= value <= high:
        raise ValueError(f"{name} cannot be {shown(value)}: allowed is {low:g} to {high:g}")
    values = [*known.get("values", ()), *LATER.get(name, ())]
    if values and not any(_same(value, each) for each in values):
        raise ValueError(f"{name} cannot be {shown(value)}: allowed is {', '.join(map(str, values))}")


_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a word",
    "list": "a list of numbers",
}


def _is(value: Any, kind: str) -> bool:
    """Whether a value is of a type of pymatgen's table."""
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int)
    if kind == "float":
        return isinstance(value, int | float) and abs(value) < float("inf")
    if kind == "str":
        return isinstance(value, str) and _one_word(value)
    if isinstance(value, str):  # as in an INCAR, 24*0.6
        return _one_word(value)
    try:
        plain(value)
    except ValueError:
        return False
    return isinstance(value, list | tuple) and 0 < len(value) <= MAX_ENTRIES


def _one_word(value: str) -> bool:
    """Whether a text stays one value in an INCAR: no comment, no second tag, no second line."""
    return 0 < len(value) <= 500 and value.isprintable() and not set(value) & set('=;#!{}"\\')


def _same(value: Any, allowed: Any) -> bool:
    if isinstance(value, str) and isinstance(allowed, str):  # VASP looks at the first letters
        return allowed.casefold().startswith(value.casefold())
    return bool(value == allowed and isinstance(value, bool) == isinstance(allowed, bool))


class VaspOverrides(EngineSettings):
    """Our settings of VASP by lower-case names, and INCAR tags, which are upper case.

    Attributes
    ----------
    xc, dispersion, gadolinium
        See `iface_wf.engines.vasp.choices`; dispersion None or ``none``: none.
    potcars, hubbard
        POTCAR, and angular momentum, U and J (eV), by element.
    kpoint_length, bader_spacing
        Edge times k-points (for metals see `iface_wf.engines.cells.kpoint_mesh`), and points of the densities' grid, A.
    real_space
        Whether large cells are projected in real space.
    fmax, max_steps
        End of a relaxation, eV/A; most steps of it.
    """

    model_config = ConfigDict(extra="allow")

    xc: str = "PBE"
    dispersion: str | None = None
    gadolinium: str = "core"
    potcars: Elements[Potcar] | None = None
    hubbard: Elements[Hubbard] | None = None
    kpoint_length: KpointLength = 20.0
    bader_spacing: Annotated[float, Field(ge=0.02, le=1.0, description="A")] = 0.067
    real_space: bool = True
    fmax: Force = 0.05
    max_steps: Steps = 200

    @classmethod
    def names(cls, like: str | None = None) -> frozenset[str]:
        """Return our names and the INCAR tags, or those of one family."""
        own, tags = frozenset(cls.model_fields), frozenset(incar_tags())
        if like is None:
            return own | tags
        return tags if like.isupper() else own

    @model_validator(mode="after")
    def _tags(self) -> Self:
        for name, value in (self.model_extra or {}).items():
            check_tag(name, value)
        return self
