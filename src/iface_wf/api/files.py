"""`iface_wf.export` and `report`: what the store holds, as files for other programs and for people."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from jobflow import JobStore
from pymatgen.core import Structure

from iface_wf.analysis.density import unpack
from iface_wf.api.options import Store, check_types, opened
from iface_wf.builders.components import select
from iface_wf.documents.labels import PARTS, WHOLE, B
from iface_wf.errors import InputError, NoticeWarning, unknown_name
from iface_wf.former import todays_value
from iface_wf.reports.files import DENSITY_FORMATS, STRUCTURE_FORMATS, file_format, write_density, write_structure
from iface_wf.reports.names import file_stem
from iface_wf.reports.page import html_page, save_figure
from iface_wf.reports.paths import folder, new_file, new_folder, require_folder
from iface_wf.store.results import find_density, find_result, structure_of
from iface_wf.store.whole import DENSITY_MISSING

What = Literal["density_difference", "density", "structure", "all"]
Format = Literal["cube", "chgcar", "cif", "xyz", "poscar"]
#: What can be exported, and the format by default.
_DEFAULTS: dict[What, Format] = {"density_difference": "cube", "density": "cube", "structure": "cif", "all": "poscar"}

_ENDINGS = {"cif": ".cif", "xyz": ".xyz", "poscar": ".vasp"}


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
        File to write; it must not exist. For ``"all"`` a folder, new or empty.
    what
        ``"structure"``; ``"density"`` of the interface; ``"density_difference"``, rho(AB) - rho(A*) - rho(B*), positive =
        electrons accumulate; or ``"all"``: the interface (``AB``), its parts as they lie in it (``A_frozen``, ``B_frozen``)
        and relaxed alone (``A``, ``B``), and the difference; of surfaces and reactions every piece by itself. What is not in the store is left out with a `NoticeWarning`.
    fmt
        Of a structure ``"cif"``, ``"xyz"`` or ``"poscar"``, lengths in A; of a density ``"cube"`` (e/Bohr^3) or
        ``"chgcar"`` (density times cell volume). By default what the name of the file says (``.vasp``, ``POSCAR_2``,
        ``.cube``), else ``"cif"`` and ``"cube"``; for ``"all"`` ``"poscar"`` and ``"cube"``. POSCAR, CHGCAR and cube have
        their atoms in the same order, elements in blocks.
    store
        As in `iface_wf.results`.

    Returns
    -------
    pathlib.Path
        The file or folder.

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
    path, what = Path(out), cast("What", todays_value("--what", what))
    if what not in _DEFAULTS:
        raise unknown_name("thing to export", what, _DEFAULTS)
    chosen = _format(path, what, fmt)
    if what == "all":
        return _export_all(identifier, path, chosen, store)
    new_file(path)
    opened_store = opened(store, create=False)
    document = find_result(opened_store, identifier, load=what == "density_difference").document
    structure = document.structure
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


def _format(path: Path, what: What, fmt: Format | None) -> str:
    """Return the format of a file: as asked for, as its name says, or the usual one."""
    named = None if what == "all" else file_format(path, density=what != "structure")
    chosen = fmt or named or _DEFAULTS[what]
    allowed = STRUCTURE_FORMATS if what in ("structure", "all") else DENSITY_FORMATS
    if chosen not in allowed:
        other = "; a density is exported by --what density_difference or density" if what == "structure" else ""
        raise InputError(
            f"A {what.replace('_', ' ')} can be written as {' or '.join(allowed)}, not as {chosen}{other}."
        )
    if fmt is None and named is None and path.suffix and what != "all":
        raise InputError(f"The suffix of {path.name} names no format: say one, {' or '.join(allowed)}, with --format.")
    if named not in (None, chosen):
        raise InputError(f"The format {chosen} does not fit to {path.name}, which is a name of {named}.")
    return chosen


def _export_all(identifier: str, out: Path, fmt: str, store: Store | None) -> Path:
    """Write whatever there is of an interface into a folder."""
    opened_store = opened(store, create=False)
    document = find_result(opened_store, identifier).document
    structure = document.structure
    found = _parts_of(document, opened_store)
    missing = [f"{name} (its calculation is not in this store)" for name, each in found.items() if each is None]
    record = None
    differs = hasattr(document, "density_difference")  # else its kind has none
    if differs and document.density_difference is None:
        missing.append("the charge-density difference (its engine gives no density)")
    elif differs and DENSITY_MISSING in document.flags:
        missing.append("the charge-density difference (it is not in the store, or damaged)")
    elif differs:
        record = find_result(opened_store, identifier, load=True).document.density_difference.density
    folder = new_folder(out)
    for name, each in found.items():
        if each is not None:
            write_structure(each, folder / f"{name}{_ENDINGS[fmt]}", fmt)
    if record is not None:
        write_density(unpack(record), structure, folder / "density_difference.cube", "cube")
    if missing:
        warnings.warn(NoticeWarning(f"Left out of {out}: {', '.join(missing)}."), stacklevel=3)
    return folder


def _parts_of(document: Any, store: JobStore) -> dict[str, Structure | None]:
    """Return the structures of an interface and its parts, or of each term of a result that has no whole; by name of their files."""
    roles = [term.role for term in document.terms]
    if WHOLE not in roles:
        return {re.sub(r"\W+", "_", role).strip("_"): structure_of(store, document, role) for role in roles}
    structure = document.structure
    labels = set(structure.site_properties.get("component", ()))
    found: dict[str, Structure | None] = {WHOLE: structure}
    for part in PARTS:
        if labels.intersection(part.components):
            found[f"{part.name}_frozen"] = select(structure, *part.components)
        alone = [each.role for each in getattr(document, "molecules", [])] if part == B else []
        for name in alone or [part.name]:  # each kind of several molecules
            found[name] = structure_of(store, document, name)
    return found


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


def report(
    identifier: str, out: str | Path = ".", *, iso: float | None = None, force: bool = False, store: Store | None = None
) -> Report:
    """Write one result as a picture and as a page with its numbers, terms and provenance.

    Parameters
    ----------
    identifier
        As in `iface_wf.show`.
    out
        Folder for both files, which must not exist yet; it is made where it does not.
    iso
        Isovalue of the charge-density difference, e/A^3; by default surfaces that enclose half of the displaced charge.
    force
        Replace both files where they exist.
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
    check_types(identifier=identifier, out=out, iso=iso, force=force, store=store)
    require_folder(Path(out))
    found = find_result(opened(store, create=False), identifier, load=True)
    stem = file_stem(found.document)
    picture, page = (new_file(folder(Path(out)) / f"{stem}{suffix}", replace=force) for suffix in (".png", ".html"))
    drawn = save_figure(found.document, picture, iso)
    page.write_text(html_page(*found, iso=iso), encoding="utf-8")
    return Report(page, drawn)
