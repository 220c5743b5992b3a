"""Machine-learned potentials by name: which there are, what they need, and their ASE calculators from atomate2.

CHGNet (Deng et al., 10.1038/s42256-023-00716-3) is the default; SevenNet (Park et al., 10.1021/acs.jctc.4c00190) is a second,
independent one. The weights of both come with their packages. They learned PBE and PBE+U energies of inorganic crystals,
which hold no dispersion, so D3(BJ) (10.1002/jcc.21759) is added.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from ase.calculators.calculator import Calculator

from iface_wf.builders.solids.disorder import Ordering, rerank
from iface_wf.engines.dispersion import D3, DISPERSION_MODELS
from iface_wf.engines.mlip.profile import PROFILE
from iface_wf.errors import CalculationError, InputError, reasons, unknown_name


class Package(NamedTuple):
    """What a model needs: the module that is imported, the distribution it comes with, and what to install."""

    module: str
    distribution: str
    install: str


def _package(module: str, distribution: str) -> Package:
    return Package(module, distribution, distribution)


_MACE, _MATGL, _NEQUIP = _package("mace", "mace-torch"), _package("matgl", "matgl"), _package("nequip", "nequip")
#: All models of atomate2, by its names; a test compares them.
MODELS: dict[str, Package] = {
    "CHGNet": Package("chgnet", "chgnet", "'.[mlip]' in the clone"),
    "MACE-MP-0": _MACE,
    "MACE-MP-0b3": _MACE,
    "MACE-MPA-0": _MACE,
    "M3GNet": _MATGL,
    "MatPES-PBE": _MATGL,
    "MatPES-r2SCAN": _MATGL,
    "SevenNet": Package("sevenn", "sevenn", "'.[sevennet]' in the clone"),
    "MatterSim": _package("mattersim", "mattersim"),
    "FAIRChem": _package("fairchem", "fairchem-core"),
    "UPET": _package("upet", "upet"),
    "NEP": _package("calorine", "calorine"),
    "GAP": _package("quippy", "quippy-ase"),
    "Nequip": _NEQUIP,
    "Allegro": _NEQUIP,
    "DeepMD": _package("deepmd", "deepmd-kit"),
}
#: Other names in use.
_ALIASES = {"mace": "MACE-MP-0"}
#: Weights that come with a model's package, the default first, and the functional they learned, by the name that dispersion
#: models know it by. SevenNet's know 89 elements: all up to Pu but Po, At, Rn, Fr and Ra.
WEIGHTS: dict[str, dict[str, str]] = {
    "CHGNet": {"0.3.0": "PBE", "0.2.0": "PBE", "r2scan": "r2SCAN"},
    "SevenNet": {"7net-0": "PBE", "7net-l3i5": "PBE"},
}
#: Names of models that say their weights.
_WITH_WEIGHTS = {
    **dict.fromkeys(("sevennet-0", "7net-0"), ("SevenNet", "7net-0")),
    **dict.fromkeys(("sevennet-l3i5", "7net-l3i5"), ("SevenNet", "7net-l3i5")),
}


def model_settings(level: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Write out all settings of a machine-learned potential.

    Parameters
    ----------
    level
        ``fast``, ``moderate`` or ``precise``.
    overrides
        Settings that replace those of the level. ``model``: name of the model, also with its weights (``7net-l3i5``);
        ``weights``: those of `WEIGHTS`; ``dispersion``: for models with such weights ``D3(BJ)``, ``D4`` or ``none``;
        ``calculator``: arguments of the model's ASE calculator, for all others, and for SevenNet with a ``model`` file.

    Returns
    -------
    dict
        With ``fmax`` in eV/A. Files that hold weights are told by their SHA-256, because a name says nothing about
        what it holds.

    Raises
    ------
    InputError
        For an unknown model, unknown weights, or dispersion where it is not known what to add.
    """
    settings = PROFILE.settings(level, overrides)
    named, weights = _WITH_WEIGHTS.get(str(settings["model"]).casefold(), (str(settings["model"]), None))
    settings["model"] = model = known_model(named)
    if weights is not None:
        settings.setdefault("weights", weights)
        if settings["weights"] != weights:
            raise InputError(f"The ML potential {weights} has no weights {settings['weights']!r}: leave them out.")
    if model in WEIGHTS and "model" not in settings["calculator"]:
        known = WEIGHTS[model]
        settings = {"weights": next(iter(known)), "dispersion": D3} | settings
        if settings["weights"] not in known:
            raise unknown_name(f"weights of {model}", str(settings["weights"]), known)
        if settings["dispersion"] not in DISPERSION_MODELS:
            raise unknown_name("dispersion model", str(settings["dispersion"]), DISPERSION_MODELS)
        return settings
    if "weights" in settings or settings.get("dispersion", "none") != "none":
        raise InputError(
            f"'weights' and 'dispersion' are settings of {' and '.join(WEIGHTS)} with the weights of their packages; give those "
            f"of {model} as 'calculator: {{...}}', by the names that its ASE calculator has for them."
        )
    settings["dispersion"] = "none"
    settings["calculator"] = _defaults(settings["model"]) | settings["calculator"]
    files = {name: _sha256(value) for name, value in settings["calculator"].items() if _is_file(value)}
    return settings | ({"sha256": files} if files else {})


def known_model(name: str) -> str:
    """Return the name of a model as atomate2 writes it, whatever its case.

    Raises
    ------
    InputError
        For an unknown one.
    """
    found = {known.casefold(): known for known in MODELS} | _ALIASES | {n: m for n, (m, _) in _WITH_WEIGHTS.items()}
    if name.casefold() not in found:
        raise unknown_name("ML potential", name, MODELS)
    return found[name.casefold()]


def require_installed(model: str) -> None:
    """Refuse a model whose package is not there.

    Raises
    ------
    InputError
        Naming what to install.
    """
    package = MODELS[model]
    if find_spec(package.module) is None:
        raise InputError(
            f"The ML potential {model} needs the package {package.distribution}, which is not installed: pip install "
            f"{package.install}."
        )


def model_name(settings: dict[str, Any]) -> str:
    """Name a model with its weights, for example ``CHGNet 0.3.0``, as in every document and table."""
    model = str(settings["model"])
    weights = settings.get("weights") or " ".join(_weights(settings["calculator"])) or package_version(model)
    return f"{model} {weights}"


def package_version(model: str) -> str:
    """Return the version of a model's package."""
    try:
        return metadata.version(MODELS[model].distribution)
    except metadata.PackageNotFoundError:
        return "of unknown version"


def rank_orderings(orderings: Sequence[Ordering], model: str = "CHGNet", **settings: Any) -> list[Ordering]:
    """Order the candidates for a crystal by the energy of a machine-learned potential, see `rerank`.

    Parameters
    ----------
    orderings
        Results of `iface_wf.builders.solids.disorder.order`.
    model
        Name of the model, see `MODELS`.
    **settings
        As the overrides of `model_settings`; no dispersion is added, which orderings of one crystal share.

    Returns
    -------
    list of Ordering
        Lowest energy of the model first, with the model's name and weights in the structure's properties.

    Raises
    ------
    InputError
        When the model is unknown or its package is not installed.
    CalculationError
        When its weights cannot be loaded.
    """
    written = model_settings("fast", settings | {"model": model})
    with quiet():
        return rerank(orderings, load(written), model_name(written))


def load(settings: dict[str, Any]) -> Calculator:
    """Load the model of complete settings; errors as of `rank_orderings`."""
    model = settings["model"]
    require_installed(model)
    from atomate2.forcefields.utils import MLFF, ase_calculator, revert_default_dtype  # imports torch

    arguments = dict(settings["calculator"])
    try:
        # the packages print on stdout, which belongs to results, and change the precision of everything else
        with quiet(), redirect_stdout(io.StringIO()), revert_default_dtype():
            if model == "CHGNet":
                from chgnet.model.model import CHGNet

                arguments = {
                    "model": CHGNet.load(model_name=settings["weights"], verbose=False),
                    "on_isolated_atoms": "error",  # by default it prints a line and goes on
                } | arguments
            elif "weights" in settings:
                arguments = {"model": settings["weights"]} | arguments
            return ase_calculator(MLFF(model), **arguments)
    except (ImportError, OSError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        cause = reasons(error)[0]
        raise CalculationError(f"The ML potential {model_name(settings)} cannot be loaded: {cause[:200]}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings of the models' packages that nobody can act upon."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad=True", category=UserWarning)
        warnings.filterwarnings("ignore", message="No tensor product accelerator is enabled", category=UserWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        yield


def _defaults(model: str) -> dict[str, Any]:
    """Return the arguments that atomate2 gives to a model's calculator."""
    from atomate2.forcefields.utils import MLFF, ForceFieldMixin

    return dict(ForceFieldMixin(force_field_name=MLFF(model)).calculator_kwargs)


def _weights(arguments: dict[str, Any]) -> list[str]:
    """Find what names the weights among the arguments of a calculator: names, versions, and files without folders."""
    words = []
    for key, value in arguments.items():
        if isinstance(value, dict):
            words += _weights(value)
        elif isinstance(value, str) and any(word in key for word in ("model", "version", "path", "filename")):
            words.append(Path(value).name)
    return words


def _is_file(value: Any) -> bool:
    return isinstance(value, str) and Path(value).is_file()


def _sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
