"""Names of results for people and for files."""

from __future__ import annotations

import re
from pathlib import PurePath

from iface_wf.documents.kinds import Column
from iface_wf.documents.result import ResultDocument


def interface_name(document: ResultDocument) -> str:
    """Name an interface, for example ``PEO (2 units) + LiTFSI on SiO2 (101)``."""
    parts = []
    if document.polymer:
        units = "" if document.units is None else f" ({document.units} unit{'s' if document.units != 1 else ''})"
        parts.append(f"{document.polymer}{units}")
    if document.salt:
        parts.append(document.salt)
    # The termination behind the Miller indices is told elsewhere; a title has room for the plane only.
    indices = document.surface.split(")")[0].strip("( ").split()
    plane = ("" if all(len(i) == 1 for i in indices) else " ").join(indices)
    filler = PurePath(document.filler).name  # a user's own file goes by its name
    return f"{' + '.join(parts) or 'molecule'} on {filler}{f' ({plane})' if plane else ''}"


def method_name(document: ResultDocument) -> str:
    """Name the method, for example ``GPAW PBE-D3(BJ), LCAO dzp, level fast``."""
    functional = document.functional + (f"-{document.dispersion}" if document.dispersion else "")
    basis = f", {document.basis}" if document.basis else ""
    return f"{document.engine.upper()} {functional}{basis}, level {document.level}"


def quantity_label(column: Column, sign: bool = False) -> str:
    """Name a quantity and its unit for an axis, for example ``binding energy / eV``.

    Parameters
    ----------
    column
        Of a table of results.
    sign
        Say what its sign means too, where the column tells it.
    """
    unit, _, meaning = column.unit.split(";")[0].partition(", ")
    told = f", {meaning}" if sign and meaning else ""
    return f"{column.name.replace('_', ' ')} / {unit.removesuffix(' per interface cell')}{told}"


def file_stem(document: ResultDocument) -> str:
    """Give a file name without suffix that is safe whatever the names hold."""
    names = [PurePath(document.filler).name, document.polymer, document.salt]
    safe = "_".join(re.sub(r"[^A-Za-z0-9+-]+", "-", n).strip("-")[:40] for n in names if n)
    return f"{safe or 'interface'}_{document.key[:8]}"
