"""`iface_wf.export` and `report`: what the store holds, as files for other programs and for people."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, cast

from pymatgen.core import Structure

from iface_wf.analysis.density import unpack
from iface_wf.api.options import Store, check_types, opened
from iface_wf.errors import InputError, unknown_name
from iface_wf.former import todays_value
from iface_wf.reports.files import DENSITY_FORMATS, STRUCTURE_FORMATS, write_density, write_structure
from iface_wf.reports.names import file_stem
from iface_wf.reports.page import html_page, save_figure
from iface_wf.reports.paths import new_file
from iface_wf.store.results import find_density, find_result

What = Literal["density_difference", "density", "structure"]
Format = Literal["cube", "chgcar", "cif", "xyz", "poscar"]
#: What can be exported, and the format by default.
_DEFAULTS: dict[What, Format] = {"density_difference": "cube", "density": "cube", "structure": "cif"}


def export(
    identifier: str,
    out: str | Path,
    what: What = "structure",
    fmt: Format | None = None,
    *,
    store: Store | None = None,
) -> Path:
    """Write the structure of a result, or a density, to a file for other programs.

    Parameters
    ----------
    identifier
        As in `iface_wf.show`.
    out
        File to write; it must not exist.
    what
        ``"structure"``; ``"density"`` of the interface; or ``"density_difference"``, rho(AB) - rho(A*) - rho(B*), positive =
        electrons accumulate.
    fmt
        Of a structure ``"cif"`` (default), ``"xyz"`` or ``"poscar"``, lengths in A; of a density ``"cube"`` (default,
        e/Bohr^3) or ``"chgcar"`` (density times cell volume).
    store
        As in `iface_wf.results`.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        When there is no such result or density, for a format that does not fit, and for a file that cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> iface_wf.export(doc.key, "water_on_LiI.xyz", fmt="xyz").name
    'water_on_LiI.xyz'
    >>> iface_wf.export(doc.key, "cdd.cube", what="density_difference")
    Traceback (most recent call last):
        ...
    iface_wf.errors.InputError: ... has no charge-density difference: its engine gives no density.
    """
    check_types(identifier=identifier, out=out, what=what, fmt=fmt, store=store)
    path, what = new_file(Path(out)), cast("What", todays_value("--what", what))
    if what not in _DEFAULTS:
        raise unknown_name("thing to export", what, _DEFAULTS)
    chosen = fmt or _DEFAULTS[what]
    allowed = STRUCTURE_FORMATS if what == "structure" else DENSITY_FORMATS
    if chosen not in allowed:
        raise InputError(f"A {what.replace('_', ' ')} can be written as {' or '.join(allowed)}, not as {chosen}.")
    opened_store = opened(store)
    document = find_result(opened_store, identifier, load=what == "density_difference").document
    structure = Structure.from_dict(document.structure)
    if what == "structure":
        write_structure(structure, path, chosen)
        return path
    if what == "density":
        record, structure = find_density(opened_store, document)
    elif (difference := getattr(document, "density_difference", None)) is not None:
        record = difference.density
    else:
        raise InputError(f"Result {document.key[:10]} has no charge-density difference: its engine gives no density.")
    write_density(unpack(record), structure, path, chosen)
    return path


class Report(NamedTuple):
    """Files of a report.

    Attributes
    ----------
    page
        One HTML file that needs nothing else.
    picture
        PNG; None where the kind of result has no picture.
    """

    page: Path
    picture: Path | None


def report(identifier: str, out: str | Path = ".", *, iso: float | None = None, store: Store | None = None) -> Report:
    """Write one result as a picture and as a page with its numbers, terms and provenance.

    Parameters
    ----------
    identifier
        As in `iface_wf.show`.
    out
        Folder for both files, which must not exist yet.
    iso
        Isovalue of the charge-density difference, e/A^3; by default surfaces that enclose half of the displaced charge.
    store
        As in `iface_wf.results`.

    Returns
    -------
    Report
        Paths of ``page`` and ``picture``.

    Raises
    ------
    InputError
        When there is no such result, and for files that exist or cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> page, picture = iface_wf.report(doc.key)
    >>> page.suffix, picture.suffix
    ('.html', '.png')
    """
    check_types(identifier=identifier, out=out, iso=iso, store=store)
    found = find_result(opened(store), identifier, load=True)
    stem = file_stem(found.document)
    picture, page = new_file(Path(out) / f"{stem}.png"), new_file(Path(out) / f"{stem}.html")
    drawn = save_figure(found.document, picture, iso)
    page.write_text(html_page(*found, iso=iso), encoding="utf-8")
    return Report(page, drawn)
