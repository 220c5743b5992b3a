"""What an engine tells about itself without being imported: levels, settings, costs, checks of the installation.

An engine of another package is added by an entry point that names its profile::

    [project.entry-points."iface_wf.engines"]
    emt = "my_package.emt:PROFILE"

Intent of the levels, the same in every code (after the protocols of aiida-common-workflows, 10.1038/s41524-021-00594-6):

fast
    A ranking on a laptop: geometries from a cheap engine, single points with a small basis.
moderate
    Geometries and energies from the DFT engine itself; trends among pairs.
precise
    Converged basis and tight forces; numbers to publish.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iface_wf.engines.checks import Check
from iface_wf.errors import InputError, unknown_name
from iface_wf.plugins import Registry

if TYPE_CHECKING:
    from iface_wf.engines.settings import EngineSettings

#: Engines of which everything was there when this process looked.
_THERE: set[str] = set()
LEVEL_NAMES = ("fast", "moderate", "precise")
#: Settings of relaxations only.
RELAXATION = frozenset({"fmax", "max_steps"})
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Which settings calculations must share before their energies may be subtracted.

    Attributes
    ----------
    method
        Those of AB, A and B, and of all others too.
    cell
        Those of AB, A* and B* besides, which share a cell.
    elements
        Tables by element: an element must be treated alike wherever it occurs.
    tolerated
        Those in which A and B may differ from AB, but not unseen: the result is flagged.
    noted
        By role: further settings in which it may differ from AB, but not unseen.
    others
        Says from the settings of a part and of AB in what else they differ that must be alike; a sentence each.
    conserved
        Says from the settings of two parts, and of AB, which kinds of atoms do not add up.
    grid_bound
        Whether absolute energies of some settings hang on the steps of a real-space grid (``grid_steps``), which then
        must be the interface's.
    counterpoise
        Whether the basis of some settings is atom-centred, so that ghost atoms are possible and needed.
    """

    method: tuple[str, ...]
    cell: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    tolerated: tuple[str, ...] = ()
    noted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: Callable[[Settings, Settings], list[str]] = lambda part, whole: []
    conserved: Callable[[Iterable[Settings], Settings], list[str]] = lambda parts, whole: []
    grid_bound: Callable[[Settings], bool] = lambda settings: False
    counterpoise: Callable[[Settings], bool] = lambda settings: False


@dataclass(frozen=True)
class EngineProfile:
    """Everything about an engine that is wanted where it is not run.

    It lies in a module of its own that imports next to nothing, because command line, tables and queues look at it.

    Attributes
    ----------
    name
        Name in documents, files and on the command line.
    engine
        ``module:class`` of the engine, imported when it is used.
    levels
        Settings of each level. ``relaxed_by`` names the engine that gives the geometries, by default the same one;
        ``fmax`` is the largest force on a free atom at the end of a relaxation, eV/A.
    common
        Settings that all levels share.
    table
        Type and range of each setting, a subclass of `iface_wf.engines.settings.EngineSettings`. By default overrides must
        have the types of what the levels say.
    options
        Names of settings that have no default and may be given as overrides, where there is no ``table``.
    technical
        Settings that steer how a result is reached, not what it is: they stay out of keys and of comparisons.
    shared
        What calculations must share, see `comparison`.
    molecules
        Says from the settings what is done otherwise where molecules are alone, without a surface.
    densities
        Densities that single points of an interface are asked for; empty where the code has none.
    cheap
        Whether it may rank placements and relax for others; then its class is an
        `iface_wf.engines.ase_engine.AseEngine`.
    variant
        Setting that may follow the name of a cheap engine where it relaxes for others: ``mlip:7net-0`` is ``mlip`` with
        this setting ``7net-0``.
    vibrations
        Whether it gives second derivatives of the energy, for frequencies.
    cost
        Core-seconds of a calculation of 100 atoms by kind, ``relax`` and ``static``, where nothing is known by
        experience; ``static fast`` is that of one level.
    growth
        Exponents of that time in electrons and in volume times k-points, likewise.
    disk
        MB that the files and densities of a single point and of a relaxation take for 1000 A^3, by kind.
    room
        By level: up to how many atoms a cell is enlarged so that a molecule keeps clear of its images. What a desktop
        computer (`fast`) or a node (`moderate`, `precise`) calculates overnight.
    resources
        What its calculations ask a queue for: rows of the table of resources (level, kind, cores, hours, memory_gb,
        exponent), the first that fits counts.
    packages
        Distributions whose versions are kept with results.
    checks
        What it needs on a machine.
    """

    name: str
    engine: str
    levels: Mapping[str, Settings]
    common: Settings = field(default_factory=dict)
    table: type[EngineSettings] | None = None
    options: frozenset[str] = frozenset()
    technical: frozenset[str] = frozenset()
    shared: Comparison | None = None
    molecules: Callable[[Settings], Settings] = lambda settings: {}
    densities: tuple[str, ...] = ()
    cheap: bool = False
    variant: str | None = None
    vibrations: bool = False
    cost: Mapping[str, float] = field(default_factory=dict)
    growth: tuple[float, float] = (2.0, 0.0)
    disk: Mapping[str, float] = field(default_factory=dict)
    room: Mapping[str, int] = field(default_factory=dict)
    resources: tuple[Mapping[str, Any], ...] = ()
    packages: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        """Check that the levels are the ones that everybody knows."""
        if set(self.levels) != set(LEVEL_NAMES):
            raise InputError(f"The engine {self.name!r} must have the levels {', '.join(LEVEL_NAMES)}.")

    @property
    def comparison(self) -> Comparison:
        """What calculations must share: by default all settings that are neither technical nor of relaxations only."""
        if self.shared is not None:
            return self.shared
        written = frozenset(self.common).union(*self.levels.values())
        names = written - self.options - self.technical - RELAXATION - {"relaxed_by"}
        return Comparison(method=tuple(sorted(names)))

    def require(self) -> None:
        """Refuse to start without what every calculation needs on this machine (`InputError`); looked for once."""
        if self.name not in _THERE:
            for check in self.checks:
                if not check.optional:
                    check.require()
            _THERE.add(self.name)

    def setting_names(self) -> frozenset[str]:
        """Return the names of all settings."""
        known = self.options if self.table is None else frozenset(self.table.model_fields)
        return known.union(self.common, *self.levels.values())

    def level(self, name: str) -> dict[str, Any]:
        """Return a copy of the settings of one level, without those that all levels share.

        Raises
        ------
        InputError
            For an unknown level.
        """
        if name not in self.levels:
            raise unknown_name("level", name, self.levels)
        return copy.deepcopy(dict(self.levels[name]))

    def settings(self, level: str, overrides: Settings) -> dict[str, Any]:
        """Write out the settings of a level with overrides.

        Raises
        ------
        InputError
            For an unknown level or setting, and for a value that is not allowed.
        """
        complete = copy.deepcopy(dict(self.common)) | self.level(level)
        if not overrides:
            return complete
        self._check_names(overrides)
        from iface_wf.engines import settings as table  # pydantic takes a tenth of a second, which --help does without

        try:
            given = copy.deepcopy(dict(overrides))
        except RecursionError as error:
            raise InputError(f"The overrides of {self.name} are nested too deep.") from error
        complete |= given
        checked = {name: value for name, value in complete.items() if name != "relaxed_by"}
        table.check(self.name, checked, self.settings_table())
        return complete

    def _check_names(self, overrides: Settings) -> None:
        allowed = self.settings_table().names
        for name in overrides:
            if name == "relaxed_by":
                raise InputError("The engine that relaxes is no override: choose it with 'geometry', or another level.")
            if name not in allowed():
                raise unknown_name(f"setting of {self.name}", str(name), allowed(str(name)))

    def settings_table(self) -> type[EngineSettings]:
        """Return the types and ranges of the settings."""
        if self.table is not None:
            return self.table
        from iface_wf.engines.settings import settings_like

        known: dict[str, Any] = dict.fromkeys(self.options, object())
        for source in (self.common, *self.levels.values()):
            known |= source
        known.pop("relaxed_by", None)
        return settings_like(tuple(sorted((name, type(value)) for name, value in known.items())))

    def physical(self, settings: Settings) -> dict[str, Any]:
        """Keep the settings that decide a result."""
        return {name: value for name, value in settings.items() if name not in self.technical}


def merged(entries: Iterable[Settings]) -> dict[str, Any]:
    """Put settings from several sources together; tables (by element) are joined, of other values the last counts.

    Parameters
    ----------
    entries
        For example what the records of several fillers say about one engine.
    """
    joined: dict[str, Any] = {}
    for entry in entries:
        for name, value in entry.items():
            known = joined.get(name)
            tables = isinstance(known, Mapping) and isinstance(value, Mapping)
            joined[name] = {**(known or {}), **value} if tables else value
    return joined


BUILT_IN = {name: f"iface_wf.engines.{name}.profile:PROFILE" for name in ("gpaw", "vasp", "xtb", "mlip")}
#: The profiles of all engines, by name.
ENGINES: Registry[EngineProfile] = Registry("engine", "iface_wf.engines", EngineProfile, BUILT_IN)
