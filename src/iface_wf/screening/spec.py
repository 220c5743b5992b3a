"""What a screening is of: which fillers, polymers and salts, and how they are calculated."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from iface_wf.builders.placing.targets import Target
from iface_wf.builders.spec import MOST_COPIES, counted
from iface_wf.documents.kinds import DEFAULT_KIND, get_kind, kind_of, quantity_names
from iface_wf.engines import registry
from iface_wf.errors import InputError, refuse_bool
from iface_wf.flows.kinds import FlowKind, flow_kind
from iface_wf.flows.request import Title
from iface_wf.flows.search.budget import MOST_STEPS
from iface_wf.library.library import Library, names_a_file
from iface_wf.library.records import InPlane
from iface_wf.quantities.reactions.equation import parse, written
from iface_wf.quantities.thermal.request import ONE_BAR, ROOM_TEMPERATURE, Pressure, Temperature
from iface_wf.screening.choices import (
    Filler,
    FillerChoice,
    Fragment,
    Interface,
    Molecule,
    MoleculeChoice,
    Pairing,
    Partner,
    Polymer,
    PolymerChoice,
    pairings,
)


def _quantity(name: str) -> str:
    try:
        kind_of(name)
    except InputError as error:  # inside a model, so that the text comes with its place in the file
        raise ValueError(str(error)) from error
    return name


Quantity = Annotated[str, AfterValidator(_quantity), WithJsonSchema({"type": "string", "enum": quantity_names()})]


def _listed(value: Any) -> Any:
    """Take a single number or name for a list of one."""
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


_Number = Annotated[int, Field(ge=1, le=MOST_COPIES)]
Copies = Annotated[tuple[_Number, ...], BeforeValidator(_listed, json_schema_input_type=_Number | tuple[_Number, ...])]
Beside = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])]


class Funnel(BaseModel):
    """A cheap engine calculates all interfaces first; only the best go on.

    Attributes
    ----------
    engine, level
        The cheap engine.
    keep
        How many interfaces, those bound most strongly, the screening's own engine calculates.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    _numbers = field_validator("*", mode="before")(classmethod(refuse_bool))

    engine: str = "xtb"
    level: str = "fast"
    keep: int = Field(ge=1)

    @model_validator(mode="after")
    def _known(self) -> Self:
        _check_engine(self.engine, self.level)
        return self


class ScreeningSpec(BaseModel):
    """Every filler with every polymer and every salt.

    Attributes
    ----------
    fillers, polymers, molecules
        Names, or mappings with ``name`` and more. Kinds of results that have no filler need none.
    salts
        Names; each one is put as an ion pair beside each polymer and molecule, or stands alone where there are none.
        ``none`` means the polymer without a salt, and is all there is by default.
    interfaces
        Interfaces of one's own, beside those that are built: files, or mappings with ``name``, ``split`` and ``filler``.
    partners
        For results without a filler: what each polymer and molecule is bound to, beside the salts. For adhesion: the fillers that
        lie on each filler, with ``surface`` and ``thickness``.
    reactions
        Reactions of neutral pieces, such as ``SiO2-SO3Li + HTFSI -> SiO2-SO3H + LiTFSI``, for the quantity ``reaction_energy``.
    isomers
        For results without a filler: minima of each complex that the engine calculates.
    engine, level, geometry, overrides, processes
        As in `iface_wf.flows.request.Request`.
    quantities
        What is wanted, of one or several kinds of results; by default the binding energy, the interaction energy and the
        charges of each interface.
    funnel
        Rank all interfaces with a cheap engine, and calculate only the best of them with ``engine``.
    placements
        Candidates of each batch of the search for an interface's lowest minimum.
    search
        Steps of relaxation that the cheap engine may take in the search; by default those of the level.
    max_strain, max_area, shifts
        For adhesion: the largest strain of the partner, the largest common cell (A^2), and how many translations along each of two
        directions are compared.
    temperature, pressure
        Of binding free energies, K and bar.
    seed
        Seed of everything random.
    in_plane
        Smallest in-plane lengths of all slabs, A. By default each filler's slab is as large as the largest fragment
        of the screening needs; give it to keep the slabs, and with them all results, when larger ones join later.
    vacuum
        Empty space above the topmost atom, A.
    max_atoms
        Interfaces with more atoms are not calculated.
    room_atoms
        Up to so many atoms slabs are enlarged until all molecules are 8 A from their images; by default what engine and
        level say. Both stages of a funnel have the same slabs.
    copies, faces, beside
        Several molecules on each filler, as in `iface_wf.builders.spec.InterfaceSpec`; several numbers of copies make a
        result each, on one slab.
    title
        A name for all results, before what each is of.
    target, clearance
        What shall touch what, and at which height molecules are put, as in
        `iface_wf.builders.spec.InterfaceSpec`, for all that is built.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    _numbers = field_validator("*", mode="before")(classmethod(refuse_bool))

    fillers: list[Filler] = Field(default_factory=list)
    polymers: list[Polymer] = Field(default_factory=list)
    molecules: list[Molecule] = Field(default_factory=list)
    salts: list[str] = Field(default_factory=list)
    interfaces: list[Interface] = Field(default_factory=list)
    partners: list[Partner] = Field(default_factory=list)
    reactions: list[str] = Field(default_factory=list)
    isomers: int = Field(default=3, ge=1, le=20)
    engine: str = "gpaw"
    level: str = "fast"
    geometry: str | None = None
    funnel: Funnel | None = None
    quantities: tuple[Quantity, ...] = Field(default=get_kind(DEFAULT_KIND).quantities, min_length=1)
    placements: int = Field(default=8, ge=1, le=1000)
    search: int | None = Field(default=None, ge=0, le=MOST_STEPS)
    max_strain: float = Field(default=0.05, gt=0, le=0.15)
    max_area: float = Field(default=400.0, ge=5, le=2000)
    shifts: int = Field(default=3, ge=1, le=10)
    temperature: Temperature = ROOM_TEMPERATURE
    pressure: Pressure = ONE_BAR
    seed: int = Field(default=0, ge=0, lt=2**31)
    in_plane: InPlane | None = None
    vacuum: float = Field(default=8.0, ge=6, le=100)
    max_atoms: int = Field(default=600, ge=1, le=100_000)
    room_atoms: int | None = Field(default=None, ge=0, le=100_000)
    target: Target | None = None
    clearance: float = Field(default=0.85, ge=0.5, le=1.5)
    copies: Copies = Field(default=(1,), min_length=1)
    faces: Literal["upper", "both"] = "upper"
    beside: Beside = ()
    title: Title | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    processes: int = Field(default=0, ge=0, le=100_000)

    @field_validator("fillers", "polymers", "molecules", "salts", "interfaces", "partners", "reactions")
    @classmethod
    def _once_each(cls, value: list[Any]) -> list[Any]:
        seen = set()
        for item in value:
            identity = item if isinstance(item, str) else item.model_dump_json()
            if identity in seen:
                raise ValueError(f"{getattr(item, 'name', item)!r} is given twice")
            seen.add(identity)
        return value

    @field_validator("reactions")
    @classmethod
    def _sides(cls, value: list[str]) -> list[str]:
        return [written(parse(text)) for text in value]

    @field_validator("beside")
    @classmethod
    def _counted(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            counted(text)
        return value

    @field_validator("geometry")
    @classmethod
    def _cheap_engine(cls, value: str | None) -> str | None:
        try:
            return value if value is None else registry.require_cheap(value)
        except InputError as error:
            raise ValueError(str(error)) from error

    @field_validator("quantities")
    @classmethod
    def _needed_too(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Complete what each quantity needs, kind by kind."""
        kinds = {kind.name: kind for kind in map(kind_of, value)}
        return tuple(each for kind in kinds.values() for each in kind.needed(value))

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        _check_engine(self.engine, self.level, self.overrides)
        own = bool(self.interfaces)
        if own and not any("interface" in kind.request.model_fields for kind in self.kinds()):
            raise ValueError("'interfaces' mean nothing for these quantities, which are of no interface")
        fields = {name for kind in self.kinds() for name in kind.request.model_fields}
        for name in ("copies", "faces", "beside"):
            if name not in fields and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name!r} means nothing for these quantities")
        several = max(self.copies) > 1 or self.faces == "both" or bool(self.beside)
        if several and self.target is not None:
            raise ValueError("'target' means nothing where several molecules lie on a filler")
        if several and any({"copies", "temperature"} <= set(kind.request.model_fields) for kind in self.kinds()):
            raise ValueError("'copies', 'faces' and 'beside' mean nothing for a free energy, which is of one molecule")
        if any(each.held_layers is not None for each in self.fillers) and "held_layers" not in fields:
            raise ValueError("'held_layers' means nothing for these quantities")
        if bool(self.reactions) != ("reaction" in fields):
            raise ValueError(
                "'reactions' mean nothing for these quantities: name reaction_energy among them"
                if self.reactions
                else "the screening has no reactions: give at least 1"
            )
        others = [name for name in ("fillers", "polymers", "molecules", "salts", "partners") if getattr(self, name)]
        if others and not fields & {"filler", "polymer"}:
            raise ValueError(
                f"{others[0]!r} mean nothing for these quantities: reactions name what takes part themselves"
            )
        of_files = own and not self.fillers and not self.fragments()
        needed = [kind for kind in self.kinds() if not (of_files and "interface" in kind.request.model_fields)]
        if not self.fillers and any("filler" in kind.request.model_fields for kind in needed):
            raise ValueError("the screening has no fillers: give at least 1")
        if not self.partners and any({"filler", "partner"} <= set(kind.request.model_fields) for kind in needed):
            raise ValueError("the screening has no partners: give at least 1 filler that lies on the others")
        if not self.fragments() and any("polymer" in kind.request.model_fields for kind in needed):
            raise ValueError("the screening has no interface: give polymers, molecules or salts")
        if self.funnel and (self.funnel.engine, self.funnel.level) == (self.engine, self.level):
            raise ValueError("the funnel's engine and level are those of the screening itself")
        return self

    def fragments(self) -> list[Fragment]:
        """List what is put on each filler."""
        salts: list[str | None] = [None if salt.casefold() == "none" else salt for salt in self.salts] or [None]
        chains: list[PolymerChoice | MoleculeChoice | None] = [*self.polymers, *self.molecules] or [None]
        return [(chain, salt) for chain, salt in product(chains, salts) if chain or salt]

    @property
    def n_pairs(self) -> int:
        """Number of interfaces."""
        fragments = len(self.fragments()) or int(bool(self.fillers and self.partners))  # of adhesion: no molecule
        built = max(1, len(self.fillers)) * fragments * max(1, len(self.partners)) * len(set(self.copies))
        return built + len(self.interfaces) + len(self.reactions)

    def kinds(self) -> list[FlowKind]:
        """List the kinds of results that are wanted."""
        return [flow_kind(name) for name in dict.fromkeys(kind_of(each).name for each in self.quantities)]

    def cheap(self) -> ScreeningSpec:
        """Return the funnel's first stage: the same, with the cheap engine, and only the number that ranks."""
        assert self.funnel is not None
        change: dict[str, Any] = {
            "engine": self.funnel.engine,
            "level": self.funnel.level,
            "funnel": None,
            "overrides": {},
            "room_atoms": registry.profile(self.engine).room.get(self.level)
            if self.room_atoms is None
            else self.room_atoms,
        }
        return self.model_copy(update=change | {"quantities": self.quantities[:1]})

    def requests(self, kind: FlowKind, library: Library) -> list[Any]:
        """Return the requests of one kind of result: one for each combination that makes a difference to it.

        Parameters
        ----------
        kind
            Which kind.
        library
            Where names are looked up, which are written as the library writes them.

        Raises
        ------
        InputError
            For an unknown name, with the nearest known ones.
        """
        fields_of = kind.request.model_fields
        fields = set(fields_of)
        if "reaction" in fields:
            common = {
                name: value for name, value in (self._common() | {"in_plane": self.in_plane}).items() if name in fields
            }
            return [kind.request(**common, reaction=each, quantities=kind.quantities) for each in self.reactions]
        found: dict[str, Any] = {}
        nothing = not self.fragments() and "polymer" in fields  # interfaces of files are all there is
        for filler in () if nothing else self.fillers if "filler" in fields else [None]:
            for pairing in pairings(kind.request.model_fields, self.fragments(), self.salts, self.partners):
                options = {k: v for k, v in self._options(filler, pairing, library).items() if k in fields}
                for copies in self.copies if "copies" in fields else (None,):
                    several = {} if copies is None else {"copies": copies}
                    request = kind.request(**options, **several, quantities=kind.needed(self.quantities))
                    found.setdefault(request.model_dump_json(), request)
        for choice in self.interfaces if "interface" in fields else ():
            options = {k: v for k, v in self._common().items() if k in fields} | choice.options(self.title)
            usual = ("target", "clearance", "room_atoms", "faces", "beside")
            options |= {name: fields_of[name].default for name in usual}
            request = kind.request(**options, quantities=kind.needed(self.quantities))
            found.setdefault(request.model_dump_json(), request)
        return list(found.values())

    def _common(self) -> dict[str, Any]:
        """Return the fields that all requests of any kind share."""
        names: tuple[str, ...] = (
            "engine",
            "level",
            "geometry",
            "overrides",
            "processes",
            "placements",
            "search",
            "isomers",
            "seed",
        )
        names += (
            "vacuum",
            "max_atoms",
            "room_atoms",
            "target",
            "clearance",
            "temperature",
            "pressure",
            "max_strain",
            "max_area",
            "shifts",
            "faces",
            "beside",
            "title",
        )
        return {name: getattr(self, name) for name in names}

    def _options(self, filler: FillerChoice | None, pairing: Pairing, library: Library) -> dict[str, Any]:
        """Return the fields of a request of any kind."""
        options = self._common()
        options["salt"] = library.salt(pairing.salt).name if pairing.salt else None
        if filler is not None:
            known = None if names_a_file(filler.name) else library.find("filler", filler.name)
            if known is None:
                library.filler(filler.name)  # a file, which is found by its path, not by the name of its record
            options |= {
                "filler": filler.name if known is None else known.name,
                "surface": filler.surface,
                "thickness": filler.thickness,
                "held_layers": filler.held_layers,
            }
        for choice in (pairing.chain, pairing.partner):
            options |= choice.options(library) if choice is not None else {}
        return options


def _check_engine(engine: str, level: str, overrides: Mapping[str, Any] | None = None) -> None:
    try:
        registry.profile(engine).settings(level, overrides or {})
    except InputError as error:  # inside a model, so that the text comes with its place in the file
        raise ValueError(str(error)) from error
