"""VASP's inputs for relaxations and single points of bulk, slab, wire, molecule and ion.

What is written, why, and from where, is the table `iface_wf.engines.vasp.choices.CHOICES`; this module applies it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from atomate2.vasp.sets.base import VaspInputGenerator
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Kpoints
from pymatgen.io.vasp.sets import next_num_with_prime_factors

from iface_wf.builders.order import poscar_structure
from iface_wf.documents.calculation import CalculationKind
from iface_wf.engines.cells import kpoint_mesh
from iface_wf.engines.dispersion import NONE
from iface_wf.engines.vasp import choices as choices
from iface_wf.engines.vasp.choices import CELL_TAGS, GRID_TAGS, METHOD_TAGS
from iface_wf.engines.vasp.profile import PROFILE
from iface_wf.errors import InputError, unknown_name

SystemKind = Literal["bulk", "slab", "wire", "molecule"]
#: Tags that steer how a result is reached, are derived from other settings, or choose what is written.
TECHNICAL_TAGS = frozenset(
    {
        *("ALGO", "NELM", "NELMIN", "NELMDL", "ISTART", "ICHARG", "NSW", "IBRION", "POTIM", "LMAXMIX", "ISYM"),
        *("LWAVE", "LCHARG", "LAECHG", "LVHAR", "LORBIT"),
        *("MAGMOM", "DIPOL", "NELECT", "LDAU", "LDAUTYPE", "LDAUL", "LDAUU", "LDAUJ"),
        *("AMIX", "BMIX", "AMIN", "AMIX_MAG", "BMIX_MAG"),
    }
)


def system_kind(structure: Structure) -> SystemKind:
    """Say from the periodic directions what a structure is."""
    kinds: dict[int, SystemKind] = {3: "bulk", 2: "slab", 1: "wire", 0: "molecule"}
    return kinds[sum(structure.lattice.pbc)]


def cubic_box(structure: Structure, vacuum: float = 15.0) -> Structure:
    """Put a molecule in the middle of a cubic box, which VASP's corrections for charges need.

    Parameters
    ----------
    structure
        A molecule; its box, if larger than needed, is kept as long as its longest edge.
    vacuum
        Least empty space between images, A.

    Returns
    -------
    Structure
        Same sites and properties.
    """
    coordinates = structure.cart_coords
    extent = coordinates.max(axis=0) - coordinates.min(axis=0)
    edge = float(max(*structure.lattice.abc, extent.max() + vacuum))
    middle = (coordinates.max(axis=0) + coordinates.min(axis=0)) / 2
    return Structure(
        Lattice(np.eye(3) * edge, pbc=structure.lattice.pbc),
        structure.species,
        coordinates - middle + edge / 2,
        coords_are_cartesian=True,
        site_properties=structure.site_properties,
        properties=dict(structure.properties),
    )


def is_cubic(structure: Structure) -> bool:
    """Say whether the cell is a cube along x, y and z, within 1e-3 A."""
    edge = structure.lattice.matrix[0, 0]
    return bool(np.abs(structure.lattice.matrix - np.eye(3) * edge).max() < 1e-3)


def c_is_perpendicular(structure: Structure) -> bool:
    """Say whether c is perpendicular to a and b, within 0.01 degrees."""
    return bool(np.abs(np.array(structure.lattice.angles[:2]) - 90).max() < 0.01)


def valence_electrons(structure: Structure, potcars: Mapping[str, str]) -> float | None:
    """Count the valence electrons of the neutral cell, None when a POTCAR is not in our table."""
    known = dict((*choices.POTCARS.values(), choices.GD_VALENCE))
    symbols = [potcars.get(site.specie.symbol, site.specie.symbol) for site in structure]
    return float(sum(known[s] for s in symbols)) if all(s in known for s in symbols) else None


@dataclass
class InterfaceInputGenerator(VaspInputGenerator):
    """atomate2 input generator that applies the table of choices.

    Parameters
    ----------
    calculation
        ``relax`` or ``static``.
    level
        ``fast``, ``moderate`` or ``precise``.
    charge
        Total charge of the cell, e.
    densities
        ``valence`` and ``all_electron``: what a single point writes.
    overrides
        Options (lower case) and INCAR tags (upper case) that replace those of the level; None removes a tag.
    like
        Settings finally used by a calculation in the same cell, which this one must share.
    """

    calculation: CalculationKind = "static"
    level: str = "moderate"
    charge: float = 0.0
    densities: list[str] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    like: dict[str, Any] = field(default_factory=dict)
    config_dict: dict[str, Any] = field(
        default_factory=lambda: {"INCAR": {}, "KPOINTS": {}, "POTCAR": {}, "POTCAR_FUNCTIONAL": choices.POTCAR_RELEASE}
    )
    auto_ismear: bool = False
    auto_metal_kpoints: bool = False
    inherit_incar: bool | list[str] = False

    def __post_init__(self) -> None:
        """Check level and overrides."""
        PROFILE.settings(self.level, self.overrides)
        super().__post_init__()

    @property
    def options(self) -> dict[str, Any]:
        """The level's settings with the overrides."""
        options = PROFILE.settings(self.level, self.overrides)
        for name, allowed in (("xc", choices.FUNCTIONALS), ("gadolinium", ("core", "valence"))):
            if options[name] not in allowed:
                raise unknown_name(f"VASP setting {name}", str(options[name]), allowed)
        options.setdefault("dispersion", choices.DEFAULT_DISPERSION[options["xc"]])
        if options["dispersion"] == NONE:
            options["dispersion"] = None
        pair = (options["xc"], options["dispersion"])
        if options["dispersion"] is not None and pair not in choices.DISPERSIONS:
            raise InputError(
                f"VASP knows no dispersion {pair[1]!r} for {pair[0]}: take "
                f"{', '.join(model for xc, model in choices.DISPERSIONS if xc == pair[0])} or none."
            )
        return options

    def defaults(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Write out what decides a calculation whatever its structure.

        Parameters
        ----------
        elements
            POTCARs and U are written out for these; None: as the overrides give them.
        """
        options = self.options
        tags = choices.FIXED_TAGS | choices.FUNCTIONALS[options["xc"]]
        tags |= choices.DISPERSIONS.get((options["xc"], options["dispersion"]), {})
        written = {"potcar_release": self.potcar_functional, **tags, **options}
        if elements is not None:
            potcars, hubbard = self._potcar_table(), self._hubbard_table()
            written["potcars"] = {x: potcars.get(x, x) for x in sorted(elements)}
            written["hubbard"] = {x: list(hubbard[x]) for x in sorted(elements) if x in hubbard}
        return written

    @property
    def potcars(self) -> dict[str, str]:
        """POTCAR of every element, in the order of the POSCAR."""
        chosen = self._potcar_table()
        return {element: chosen.get(element, element) for element in self.poscar.site_symbols}

    def _potcar_table(self) -> dict[str, str]:
        options = self.options
        chosen = {element: symbol for element, (symbol, _) in choices.POTCARS.items()}
        if options["gadolinium"] == "valence":
            chosen["Gd"] = choices.GD_VALENCE[0]
        chosen |= options.get("potcars") or {}
        return chosen | (self.like.get("potcars") or {})

    @property
    def potcar_symbols(self) -> list[str]:
        """POTCARs in the order of the POSCAR."""
        return list(self.potcars.values())

    @property
    def hubbard(self) -> dict[str, tuple[int, float, float]]:
        """Angular momentum, U and J (eV) of the elements that have them."""
        table = self._hubbard_table()
        return {element: table[element] for element in self.poscar.site_symbols if element in table}

    def _hubbard_table(self) -> dict[str, tuple[int, float, float]]:
        options = self.options
        table: dict[str, tuple[int, float, float]] = {"La": choices.HUBBARD_LA}
        if options["gadolinium"] == "valence":
            table["Gd"] = choices.HUBBARD_GD
        if "hubbard" in options:
            table = {element: tuple(values) for element, values in (options["hubbard"] or {}).items()}
        return table

    @property
    def moments(self) -> list[float]:
        """Initial magnetic moments in the order of the POSCAR, Bohr magnetons."""
        structure = self._cell()
        given = structure.site_properties.get("magmom")
        if given is not None and any(given):
            return [float(moment or 0.0) for moment in given]
        gd = choices.GD_MOMENT if self.potcars.get("Gd") == choices.GD_VALENCE[0] else 0.0
        return [gd if site.specie.symbol == "Gd" else 0.0 for site in structure]

    @property
    def kpoints_updates(self) -> Kpoints:
        """The mesh by length, centred at Gamma."""
        mesh = self.like.get("kpoints") or kpoint_mesh(
            self._cell(), self.options["kpoint_length"], exact="kpoint_length" in self.overrides
        )
        return Kpoints.gamma_automatic(tuple(int(n) for n in mesh))

    @property
    def incar_updates(self) -> dict[str, Any]:
        """All tags."""
        options = self.options
        tags = self._method(options) | self._electrons(options) | self._ions(options) | self._boundary()
        tags |= {name: value for name, value in self.overrides.items() if name.isupper()}
        if self.calculation == "static":
            tags |= {name: value for name, value in self._grid(tags).items() if name not in self.overrides}
        if self.like:
            # a key that the other calculation finally did without is left out here too
            shared = {name: self.like.get(name) for name in (*METHOD_TAGS, *CELL_TAGS, "EDIFF")}
            tags |= shared | {"ISPIN": max(tags["ISPIN"], int(self.like.get("ISPIN") or 1))}
        if tags["ISPIN"] == 2:
            # moments of zero would keep an open shell closed
            tags.setdefault("MAGMOM", self.moments if any(self.moments) else [0.6] * len(self._cell()))
        return tags

    def settings(self, structure: Structure) -> dict[str, Any]:
        """Write out everything that decides a calculation of this structure, flat.

        Parameters
        ----------
        structure
            Labelled sites in any order.

        Returns
        -------
        dict
            Names common to all engines (xc, dispersion, kpoints, grid, charge), POTCARs and U by element, INCAR tags
            by name; under ``technical`` the tags that do not decide the result.
        """
        self._check(structure)
        inputs = self.get_input_set(poscar_structure(structure), potcar_spec=True)
        tags = dict(inputs["INCAR"])
        options = self.options
        settings: dict[str, Any] = {
            "xc": options["xc"],
            "dispersion": options["dispersion"],
            "charge": self.charge,
            "potcar_release": self.potcar_functional,
            "potcars": self.potcars,
            "hubbard": {element: list(values) for element, values in self.hubbard.items()},
            "kpoints": [int(n) for n in inputs["KPOINTS"].kpts[0]],
            **{name: plain(value) for name, value in tags.items() if name not in TECHNICAL_TAGS},
            "technical": {name: plain(value) for name, value in tags.items() if name in TECHNICAL_TAGS},
        }
        if any(self.moments):
            pairs = {(site.specie.symbol, moment) for site, moment in zip(self._cell(), self.moments, strict=True)}
            settings["moments"] = [list(pair) for pair in sorted(pairs)]
        if "NGXF" in tags:
            settings["grid"] = [tags[name] for name in GRID_TAGS[3:]]
        return settings

    def _check(self, structure: Structure) -> None:
        kind = system_kind(structure)
        if self.charge and kind != "molecule":
            raise InputError(
                f"A {kind} with the charge {self.charge:+g} e has no defined energy in VASP, whose cells are periodic: "
                "add the counter-ion, or calculate the ion in a box of its own."
            )
        if self.charge and not is_cubic(structure):
            raise InputError("An ion needs a cubic box in VASP: put it in one, for example by cubic_box().")
        self.structure = poscar_structure(structure)
        if self.charge and "NELECT" not in self.overrides and valence_electrons(structure, self.potcars) is None:
            unknown = sorted(set(self.potcars.values()) - {symbol for symbol, _ in choices.POTCARS.values()})
            raise InputError(f"The valence electrons of {', '.join(unknown)} are unknown here: override NELECT.")

    def _cell(self) -> Structure:
        if self.structure is None:
            raise ValueError("the generator has no structure yet")
        return self.structure

    def _method(self, options: dict[str, Any]) -> dict[str, Any]:
        structure = self._cell()
        tags = {"ENCUT": options["ENCUT"], "EDIFF": options["EDIFF"], **choices.FIXED_TAGS}
        small = system_kind(structure) == "bulk" and len(structure) <= choices.SMALL_BULK
        tags["LREAL"] = "Auto" if options["real_space"] and not small else False
        tags |= choices.FUNCTIONALS[options["xc"]]
        if options["dispersion"] is not None:
            tags |= choices.DISPERSIONS[options["xc"], options["dispersion"]]
        if hubbard := self.hubbard:
            rows = [hubbard.get(element, (-1, 0.0, 0.0)) for element in self.poscar.site_symbols]
            tags |= {"LDAU": True, "LDAUTYPE": 2}
            tags |= {name: [row[i] for row in rows] for i, name in enumerate(("LDAUL", "LDAUU", "LDAUJ"))}
        return tags

    def _electrons(self, options: dict[str, Any]) -> dict[str, Any]:
        structure = self._cell()
        tags: dict[str, Any] = {"NELM": 150}
        tags["ALGO"] = "All" if options["xc"] == "r2SCAN" else "Normal" if self.level == "precise" else "Fast"
        electrons = valence_electrons(structure, self.potcars)
        if electrons is None:
            electrons = float(sum(site.specie.Z for site in structure))  # closed cores: the same parity
        elif self.charge:
            tags["NELECT"] = electrons - self.charge
        odd = round(electrons - self.charge) % 2 == 1
        tags["ISPIN"] = 2 if odd or any(self.moments) else 1
        if system_kind(structure) != "bulk":
            tags["ISYM"] = 0
        return tags

    def _ions(self, options: dict[str, Any]) -> dict[str, Any]:
        tags: dict[str, Any] = {"LWAVE": True, "LCHARG": bool(self.densities)}
        if self.calculation == "relax":
            limits = {"NSW": options["max_steps"], "EDIFFG": -options["fmax"]}
            return tags | {"IBRION": 2, "ISIF": 2, "NELMIN": 5} | limits
        tags |= {"NSW": 0, "LORBIT": 11, "LAECHG": "all_electron" in self.densities}
        if system_kind(self._cell()) == "slab":
            tags["LVHAR"] = True
        return tags

    def _boundary(self) -> dict[str, Any]:
        """Corrections for the periodic images: dipole of a slab, charge of an ion."""
        structure = self._cell()
        kind, fractions = system_kind(structure), structure.frac_coords
        middle = (fractions.max(axis=0) + fractions.min(axis=0)) / 2
        if kind == "slab" and not structure.lattice.pbc[2] and c_is_perpendicular(structure):
            return {"LDIPOL": True, "IDIPOL": 3, "DIPOL": [0.5, 0.5, round(float(middle[2]), 6)]}
        if kind == "molecule" and self.charge:
            return {"IDIPOL": 4, "DIPOL": [round(float(x), 6) for x in middle]}
        return {}

    def _grid(self, tags: Mapping[str, Any]) -> dict[str, int]:
        coarse, fine = self.calculate_ng(custom_encut=tags["ENCUT"], custom_prec=tags["PREC"])
        if "all_electron" in self.densities:
            spacing = self.options["bader_spacing"]
            edges = self._cell().lattice.abc
            wanted = [next_num_with_prime_factors(int(np.ceil(edge / spacing)), 7, must_inc_2=True) for edge in edges]
            fine = [max(pair) for pair in zip(fine, wanted, strict=True)]
        return dict(zip(GRID_TAGS, (int(n) for n in (*coarse, *fine)), strict=True))


def plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value
