"""`iface_wf.figure` and `heat_map`: figures for papers, as pixels or vectors."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

from iface_wf.api.options import Store, check_types, opened
from iface_wf.api.stored import results
from iface_wf.documents.kinds import DEFAULT_KIND, get_kind
from iface_wf.errors import InputError, NoticeWarning, unknown_name
from iface_wf.reports.convergence import relaxations_of
from iface_wf.reports.gallery import DRAWINGS, Drawing, draw
from iface_wf.reports.heatmap import heat_map_figure
from iface_wf.reports.names import file_stem
from iface_wf.reports.paths import FIGURE_FORMATS, folder, new_file, require_folder, save
from iface_wf.store.results import calculation_of, find_result, method_of

FigureFormat = Literal["png", "svg", "pdf"]
_VECTORS = {"a": 0, "b": 1}
_WITH_ISO, _WITH_ALONG = ("difference", "slices"), ("difference", "transfer")


def figure(
    identifier: str,
    what: Drawing = "difference",
    out: str | Path = ".",
    fmt: FigureFormat = "png",
    *,
    iso: float | None = None,
    along: Literal["a", "b"] | None = None,
    force: bool = False,
    store: Store | None = None,
) -> Path:
    """Draw something of a result for a paper.

    Parameters
    ----------
    identifier
        As in `iface_wf.show`.
    what
        ``"difference"``: the charge-density difference (e/A^3) from the side and from above, with its planar integral (e/A) and
        the charge displaced to below each height (e) on the same z axis; ``"slices"``: planes through it at the contact;
        ``"transfer"``: the Bader charge that each atom lost (e, positive = electrons lost); ``"potential"``: the potential
        energy of an electron along the normal (eV), with work functions; ``"convergence"``: the largest force (eV/A) at the
        end of each relaxation against its limit, the cycles of self-consistency of each single point, and the energies (eV) of
        the candidates of the search above the lowest one, with the lowest so far. What is not stored is said in the figure.
    out
        Folder for the file; it is made where it does not exist.
    fmt
        ``"png"`` (200 dots per inch), ``"svg"`` or ``"pdf"``.
    iso
        Isovalue of ``"difference"`` and ``"slices"``, e/A^3; by default surfaces that enclose half of the displaced charge.
    along
        Cell vector to look along from the side, of ``"difference"`` and ``"transfer"``; by default the one that shows most of
        the molecule.
    force
        Replace the file where it exists.
    store
        As in `iface_wf.results`.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        When there is no such result, or it has not what is to be drawn, and for a file that exists or cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> iface_wf.figure(doc.key, "slices")
    Traceback (most recent call last):
        ...
    iface_wf.errors.InputError: ... has no charge-density difference to draw: its engine gives no density.
    """
    check_types(identifier=identifier, what=what, out=out, fmt=fmt, iso=iso, along=along, force=force, store=store)
    if what not in DRAWINGS:
        raise unknown_name("figure", what, [*DRAWINGS, "heat-map"])
    _check_format(fmt)
    if along is not None and along not in _VECTORS:
        raise unknown_name("cell vector to look along", along, _VECTORS)
    if iso is not None and not iso > 0:
        raise InputError(f"The isovalue must be positive, not {iso:g}.")
    for option, value, allowed in (("iso", iso, _WITH_ISO), ("along", along, _WITH_ALONG)):
        if value is not None and what not in allowed:
            raise InputError(f"The option {option!r} means nothing for {what}, only for {' and '.join(allowed)}.")
    require_folder(Path(out))
    opened_store = opened(store, create=False)
    document = find_result(opened_store, identifier, load=what in ("difference", "slices")).document
    path = new_file(folder(Path(out)) / f"{file_stem(document)}_{what}.{fmt}", replace=force)
    by_role = {term.role: calculation_of(opened_store, document, term.role) for term in document.terms}
    found = {role: each for role, each in by_role.items() if each is not None}
    relaxations = relaxations_of(opened_store, document) if what == "convergence" else None
    drawn = draw(what, document, found, iso, None if along is None else _VECTORS[along], relaxations)
    save(drawn, path, fmt)
    return path


def heat_map(
    out: str | Path = ".",
    fmt: FigureFormat = "png",
    *,
    kind: str | None = None,
    where: str | None = None,
    filler: str | None = None,
    polymer: str | None = None,
    salt: str | None = None,
    engine: str | None = None,
    level: str | None = None,
    force: bool = False,
    store: Store | None = None,
) -> Path:
    """Draw a map of fillers against polymers and salts, with the lowest trustworthy number of each pair.

    Parameters
    ----------
    out
        Folder for the file ``heat-map.png``, ``.svg`` or ``.pdf``.
    fmt, force
        As in `iface_wf.figure`.
    kind, where, filler, polymer, salt, engine, level, store
        Which results, as in `iface_wf.results`; numbers of unlike methods should not stand in one map.

    Returns
    -------
    pathlib.Path
        The file; numbers are in the unit of the kind, for binding energies eV.

    Raises
    ------
    InputError
        When there is nothing to draw, or too much for one figure, and for a file that exists or cannot be written.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> iface_wf.heat_map(fmt="svg", engine="mlip").name
    'heat-map.svg'
    """
    check_types(out=out, fmt=fmt, force=force)
    _check_format(fmt)
    require_folder(Path(out))
    table = results(
        store, kind=kind, where=where, filler=filler, polymer=polymer, salt=salt, engine=engine, level=level
    )  # fmt: skip
    path = new_file(folder(Path(out)) / f"heat-map.{fmt}", replace=force)
    save(heat_map_figure(table, get_kind(kind or DEFAULT_KIND)), path, fmt)
    methods = sorted({method_of(row) for row in table[table["trustworthy"]].to_dict("records")})
    if len(methods) > 1:
        unlike = f"The numbers of this map are of unlike methods ({', '.join(methods)}): choose one by engine, level or where."
        warnings.warn(NoticeWarning(unlike), stacklevel=2)
    return path


def _check_format(fmt: str) -> None:
    if fmt not in FIGURE_FORMATS:
        raise unknown_name("format of a figure", fmt, FIGURE_FORMATS)
