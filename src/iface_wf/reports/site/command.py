"""The commands that make a result again, or write more of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from iface_wf.builders.spec import InterfaceSpec
from iface_wf.documents.result import ResultDocument

#: Options of `iface-wf run` that hold one plain value.
_PLAIN = (
    "filler", "surface", "thickness", "polymer", "units", "sequence", "tacticity", "conformation", "molecule", "salt",
    "reaction", "partner", "partner_units", "partner_surface", "partner_thickness", "max_strain", "max_area", "shifts",
    "interface", "split", "engine", "level", "geometry", "placements", "search", "seed", "vacuum", "max_atoms", "room_atoms",
    "temperature", "pressure", "held_layers", "title",
)  # fmt: skip


def run_command(document: ResultDocument) -> tuple[str, list[str]]:
    """Return the command that calculates a result again, and the fields of its request that no option can say.

    Parameters
    ----------
    document
        The result; its ``provenance["request"]`` is what was asked for.

    Returns
    -------
    str
        A line for a POSIX shell; empty where the request is not known.
    list of str
        Fields that only a YAML file or Python can give.
    """
    request = document.provenance.get("request")
    if not isinstance(request, Mapping) or not any(map(request.get, ("filler", "interface", "reaction"))):
        return "", []
    words = ["iface-wf", "run"]
    for name in _PLAIN:
        if request.get(name) not in (None, ""):
            words += [f"--{name.replace('_', '-')}", _word(request[name])]
    if caps := request.get("caps"):
        words += ["--caps", ",".join(map(str, caps.values() if isinstance(caps, Mapping) else caps))]
    if quantities := request.get("quantities"):
        words += ["--quantities", ",".join(map(str, quantities))]
    if in_plane := request.get("in_plane"):
        words += ["--in-plane", *map(str, in_plane)]
    if (clearance := request.get("clearance")) not in (None, InterfaceSpec.model_fields["clearance"].default):
        words += ["--clearance", str(clearance)]
    if target := request.get("target"):
        words += ["--target", target["group"], target["surface"]]
    if (copies := request.get("copies")) not in (None, 1):
        words += ["--copies", str(copies)]
    if (faces := request.get("faces")) not in (None, "upper"):
        words += ["--faces", str(faces)]
    for other in request.get("beside") or ():
        words += ["--beside", str(other)]
    for name, value in (request.get("overrides") or {}).items():
        words += ["--overrides", f"{name}={json.dumps(value)}"]
    told = {
        *_PLAIN,
        "caps",
        "quantities",
        "in_plane",
        "overrides",
        "processes",
        "target",
        "clearance",
        "copies",
        "faces",
        "beside",
    }
    usual = {name: field.default for name, field in InterfaceSpec.model_fields.items()}
    left = sorted(n for n, value in request.items() if n not in told and value is not None and value != usual.get(n))
    return shlex.join(words), left


def _word(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def more_commands(document: ResultDocument, difference: bool) -> list[tuple[str, str]]:
    """Return further commands for a result, each with what it does.

    Parameters
    ----------
    document
        The result.
    difference
        Whether it has a charge-density difference.
    """
    identifier = document.key[:10]
    commands = [
        ("all terms, flags and versions", f"iface-wf show {identifier}"),
        ("every energy with its calculation and input files", f"iface-wf provenance {identifier}"),
        ("structures of AB and of its parts", f"iface-wf export {identifier} --all --out {identifier}"),
    ]
    if difference:
        cube = f"iface-wf export {identifier} --what density_difference --out difference.cube"
        commands.append(("the difference on the full grid", cube))
    return commands
