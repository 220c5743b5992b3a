"""The options of whatever asks for a result, once for all commands: `run`, `submit` and `build` take the same words."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.errors import InputError

#: Option: its type with help. Names are the fields of requests; None means that the option was not given.
OPTIONS: dict[str, Any] = {
    "filler": opt.Filler,
    "surface": opt.Surface,
    "thickness": Annotated[
        float | None, typer.Option("--thickness", help="Smallest thickness of the slab, A; default: the surface's own.")
    ],
    "polymer": opt.Polymer,
    "units": opt.Units,
    "sequence": Annotated[
        str | None, typer.Option("--sequence", help="Order of a copolymer's units by letters, such as AAB.")
    ],
    "tacticity": Annotated[
        str | None, typer.Option("--tacticity", help="isotactic, syndiotactic or atactic; default: atactic.")
    ],
    "caps": Annotated[
        str | None, typer.Option("--caps", help="Ends of the chain as two SMILES, such as 'C*,*C'; default: hydrogen.")
    ],
    "conformation": Annotated[
        str | None,
        typer.Option("--conformation", help="lowest (conformer) or trans (chain); default: the polymer's own."),
    ],
    "molecule": Annotated[
        str | None,
        typer.Option(
            "--molecule",
            help="Instead of a polymer: SMILES, a name from the library such as EC, DMC or water, or an .xyz file.",
            autocompletion=opt.molecule_names,
        ),
    ],
    "salt": opt.Salt,
    "copies": Annotated[
        int | None,
        typer.Option("--copies", help="How many of what is named lie on a face of the slab; default: 1."),
    ],
    "faces": Annotated[
        str | None,
        typer.Option(
            "--faces", metavar="upper|both", help="Where it lies: on the upper face, or as well on the lower one."
        ),
    ],
    "beside": Annotated[
        list[str] | None,
        typer.Option(
            "--beside",
            metavar="NAME",
            help="What else lies there, once for each: a molecule, polymer, salt or .xyz file, with a number before it where there "
            "are several ('6 EC').",
        ),
    ],
    "interface": Annotated[
        str | None,
        typer.Option(
            "--interface",
            metavar="FILE",
            help="Instead of building and searching: an interface of your own, a CIF, POSCAR or extended XYZ file.",
        ),
    ],
    "split": Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="SITES|LABELS",
            help="Which atoms of --interface are the molecule: counted from 0 ('48-55,60', '48:'), or labels of the column "
            "'component'; default: the one that is bonded to nothing else.",
        ),
    ],
    "target": Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--target",
            metavar="GROUP ATOM",
            help="What shall touch what: a group of the polymer's record or SMARTS, and an element of the surface with "
            "what it is bonded to, such as ether H-O-Si.",
        ),
    ],
    "clearance": Annotated[
        float | None,
        typer.Option("--clearance", help="Height at which the molecule is put, in van der Waals sums; default: 0.85."),
    ],
    "partner": Annotated[
        str | None,
        typer.Option(
            "--partner",
            help="Without filler: what the polymer or molecule is bound to, a polymer, SMILES or .xyz file. For work_of_adhesion: the "
            "filler on top.",
        ),
    ],
    "partner_units": Annotated[
        int | None, typer.Option("--partner-units", min=1, help="Repeat units of a partner that is a polymer.")
    ],
    "partner_surface": Annotated[
        str | None, typer.Option("--partner-surface", help="Miller indices of a partner that is a filler.")
    ],
    "partner_thickness": Annotated[
        float | None, typer.Option("--partner-thickness", help="Smallest thickness of a partner that is a filler, A.")
    ],
    "max_strain": Annotated[
        float | None,
        typer.Option("--max-strain", help="Largest strain of the upper of two solids; default: 0.05."),
    ],
    "max_area": Annotated[
        float | None, typer.Option("--max-area", help="Largest common cell of two solids, A^2; default: 400.")
    ],
    "shifts": Annotated[
        int | None,
        typer.Option(
            "--shifts", min=1, help="Translations of the upper of two solids along each direction; default: 3."
        ),
    ],
    "group": Annotated[
        str | None,
        typer.Option(
            "--group", help="Where Li+ is put: a group of the polymer's record, or SMARTS whose first atom binds."
        ),
    ],
    "reaction": Annotated[
        str | None,
        typer.Option(
            "--reaction",
            help="Instead of all that: the energy of a reaction of neutral pieces, fillers (slabs), molecules, polymers and salts, such "
            "as 'SiO2-SO3Li + HTFSI -> SiO2-SO3H + LiTFSI'.",
        ),
    ],
    "reference": Annotated[str | None, typer.Option("--reference", help="What Li+ comes from: ion.")],
    "isomers": Annotated[
        int | None,
        typer.Option("--isomers", min=1, help="Without filler: minima of the complex that the engine calculates."),
    ],
    "engine": opt.EngineName,
    "level": opt.Level,
    "geometry": opt.Geometry,
    "overrides": Annotated[
        list[str] | None,
        typer.Option(
            "--overrides",
            metavar="NAME=VALUE",
            help="A setting of the engine instead of the level's, such as fmax=0.05, once for each; `help` lists all of them.",
        ),
    ],
    "quantities": Annotated[
        str | None,
        typer.Option(
            "--quantities", help="What is wanted, with commas; default: binding energy, interaction, charges."
        ),
    ],
    "temperature": Annotated[
        float | None, typer.Option("--temperature", help="Of a binding free energy, K; default: 298.15.")
    ],
    "pressure": Annotated[
        float | None, typer.Option("--pressure", help="Of the gas of a binding free energy, bar; default: 1.")
    ],
    "placements": Annotated[
        int | None, typer.Option("--placements", min=1, help="Candidates of each batch of the search; default: 8.")
    ],
    "search": Annotated[
        int | None,
        typer.Option(
            "--search",
            min=0,
            help="Steps that the cheap engine may take to find the lowest minimum; default: the level's.",
        ),
    ],
    "seed": opt.Seed,
    "in_plane": Annotated[
        tuple[float, float] | None,
        typer.Option(
            "--in-plane",
            metavar="A B",
            help="Smallest in-plane lengths of the slab, A, your own too; default: as is needed.",
        ),
    ],
    "held_layers": Annotated[
        int | None,
        typer.Option(
            "--held-layers",
            help="How many layers of atoms of the slab keep their places, from below; default: as the surface or your file says.",
        ),
    ],
    "vacuum": Annotated[
        float | None, typer.Option("--vacuum", help="Empty space above the topmost atom, A; default: 8.")
    ],
    "max_atoms": Annotated[
        int | None, typer.Option("--max-atoms", min=1, help="Refuse interfaces with more atoms; default: 600.")
    ],
    "room_atoms": Annotated[
        int | None,
        typer.Option("--room-atoms", min=0, help="Up to so many atoms the cell is enlarged to keep images 8 A apart."),
    ],
    "title": Annotated[
        str | None, typer.Option("--title", help="A name of your own for the result: in tables, on pages, in figures.")
    ],
    "processes": Annotated[int | None, typer.Option("--processes", min=0, help="MPI processes; 0: all cores.")],
}


def with_request(*left_out: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a request; it receives those that were given as its argument ``request``.

    Parameters
    ----------
    *left_out
        Options that this command does not have.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        names = [name for name in OPTIONS if name not in left_out]
        own = inspect.signature(command, eval_str=True)
        options = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=OPTIONS[name])
            for name in names
        ]
        others = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in own.parameters.values()
            if parameter.name != "request"
        ]

        @functools.wraps(command)
        def wrapper(**given: Any) -> None:
            request = {name: given.pop(name) for name in names}
            if request.get("overrides") == ["help"]:
                list_settings(request.get("engine") or "gpaw", request.get("level") or "fast")
                return
            command(request=read({name: value for name, value in request.items() if value is not None}), **given)

        signature = inspect.Signature([*_first(others), *options, *_rest(others)])
        wrapper.__signature__ = signature  # type: ignore[attr-defined]
        wrapper.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
        return wrapper

    return decorate


def list_settings(engine: str, level: str) -> None:
    """Print the settings of an engine that overrides may replace."""
    from iface_wf.cli.output import plain_table, say, stdout
    from iface_wf.engines.listing import settings_of
    from iface_wf.engines.registry import profile

    table = plain_table("setting", level, "allowed", "meaning")
    for each in settings_of(profile(engine), level):
        table.add_row(each.name, "" if each.value is None else str(each.value), each.allowed, each.meaning)
    stdout().print(table)
    if engine == "vasp":
        say("INCAR tags, in capitals, are settings too: --overrides ISPIN=2")


def require_filler(request: dict[str, Any]) -> None:
    """Refuse a command line without a filler, unless it asks for a kind of result that has none."""
    from iface_wf.documents.kinds import kind_of_all
    from iface_wf.flows.kinds import FlowKind

    if "reaction" in request:
        return
    kind = kind_of_all(request["quantities"]) if request.get("quantities") else None
    if isinstance(kind, FlowKind) and "filler" not in kind.request.model_fields:
        return
    if "filler" not in request and "interface" not in request:
        raise typer.BadParameter(
            "name one from the library, or your own CIF, POSCAR, extended XYZ or YAML file.", param_hint="--filler"
        )


def _first(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    return [p for p in parameters if isinstance(_info(p), typer.models.ArgumentInfo)]


def _rest(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    return [p for p in parameters if not isinstance(_info(p), typer.models.ArgumentInfo)]


def _info(parameter: inspect.Parameter) -> Any:
    return next(iter(getattr(parameter.annotation, "__metadata__", ())), None)


def read(given: dict[str, Any]) -> dict[str, Any]:
    """Read the options that are more than one word.

    Parameters
    ----------
    given
        Options by name, as typer gives them.

    Returns
    -------
    dict
        Fields of a request.

    Raises
    ------
    InputError
        For an override or caps that cannot be read.
    """
    if "quantities" in given:
        given["quantities"] = tuple(name.strip() for name in given["quantities"].split(",") if name.strip())
    if "caps" in given:
        ends = [end.strip() for end in given["caps"].split(",")]
        if len(ends) != 2:
            raise InputError(
                f"--caps takes two SMILES with a comma between them, such as 'C*,*C', not {given['caps'][:80]!r}."
            )
        given["caps"] = dict(zip(("head", "tail"), ends, strict=True))
    if "beside" in given:
        given["beside"] = tuple(given["beside"])
    if "target" in given:
        from iface_wf.builders.placing.targets import Target

        group, surface = given["target"]
        given["target"] = Target(group=group, surface=surface)
    if "overrides" in given:
        given["overrides"] = dict(_override(text) for text in given["overrides"])
    return given


def _override(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; the value is YAML, so that numbers, words and mappings can be written."""
    from iface_wf.library.files import parse_yaml

    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"--overrides takes NAME=VALUE, such as fmax=0.05, not {text[:80]!r}.")
    return name.strip(), parse_yaml(value, f"--overrides {name.strip()[:80]}: the value {value[:80]!r}")
