"""Write the pages of a screening, and the files that they offer, into a folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import get_kind
from iface_wf.documents.result import ResultDocument
from iface_wf.errors import InputError
from iface_wf.reports.files import write_density, write_structure
from iface_wf.reports.names import file_stem
from iface_wf.reports.paths import save
from iface_wf.reports.site.html import ASSETS, GENERATOR, asset, index_page, result_page
from iface_wf.reports.site.index import index_data
from iface_wf.reports.site.models import FileData, ResultData, TableData
from iface_wf.reports.site.result import difference_data, result_data
from iface_wf.reports.site.volume import Thinned
from iface_wf.reports.tables import csv
from iface_wf.store.results import StoredResult

if TYPE_CHECKING:
    import pandas as pd

INDEX = "index.html"
RESULTS = "results"
_STRUCTURES = {"structure.cif": "the structure", "POSCAR": "the structure, elements in blocks as VASP wants them"}
_MAYBE = ("difference.cube", "profiles.csv", "charges.csv")
_PICTURE = "picture.png"
#: All that the folder of a result's page may hold of ours.
_OURS = frozenset({INDEX, *_STRUCTURES, *_MAYBE, _PICTURE})


def report_folder(out: Path, force: bool) -> Path:
    """Create the folder of a report, or take that of an earlier one.

    Parameters
    ----------
    out
        A new or empty folder; with ``force`` also one that holds an earlier report.
    force
        Replace the pages of an earlier report.

    Raises
    ------
    InputError
        When it holds anything else, or cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not any(out.iterdir()):
            return out
        index = out / INDEX
        ours = index.is_file() and is_ours(index)
    except OSError as error:
        raise InputError(f"The folder {out} cannot be used: {error.strerror}.") from error
    if not ours:
        raise InputError(f"The folder {out} is not empty, and what it holds is no report; give another one.")
    if not force:
        raise InputError(f"The folder {out} holds a report already: --force replaces it, --out names another folder.")
    return out


def write_assets(folder: Path) -> None:
    """Write the scripts, styles and licences that all pages of a report share."""
    place = folder / "assets"
    place.mkdir(exist_ok=True)
    for name in ASSETS:
        (place / name).write_bytes(asset(name))


def page_path(document: ResultDocument) -> str:
    """Return the place of a result's page in a report; twelve characters of the key keep apart what has one name."""
    return f"{RESULTS}/{file_stem(document)}{document.key[8:12]}/{INDEX}"


def write_index(folder: Path, table: pd.DataFrame, pages: Mapping[str, str], made: str) -> Path:
    """Write the page with the table, and the table as CSV.

    Parameters
    ----------
    folder
        Of the report.
    table
        Of `iface_wf.results`.
    pages
        By key: relative path of the page of a result.
    made
        When and by which version.
    """
    (folder / "results.csv").write_text(csv(table, None), encoding="utf-8")
    index = folder / INDEX
    index.write_text(index_page(index_data(table, pages, made)), encoding="utf-8")
    return index


def remove_gone(folder: Path, pages: Collection[str]) -> None:
    """Remove the pages of an earlier report whose results are no longer in it; what others put there stays.

    Parameters
    ----------
    folder
        Of the report.
    pages
        Relative paths of the pages that it has now.
    """
    kept = {Path(page).parent.name for page in pages}
    place = folder / RESULTS
    if place.is_symlink() or not place.is_dir():
        return
    for page in place.iterdir():
        index = page / INDEX
        if page.name in kept or page.is_symlink() or not index.is_file() or not is_ours(index):
            continue
        for file in page.iterdir():
            if file.name in _OURS and (file.is_file() or file.is_symlink()):
                file.unlink()
        if not any(page.iterdir()):
            page.rmdir()


def is_ours(page: Path) -> bool:
    """Whether a file is a page that a report wrote."""
    with page.open(encoding="utf-8", errors="replace") as text:
        return GENERATOR in text.read(2000)


def write_result(
    folder: Path, path: str, found: StoredResult, calculation: Callable[[str], CalculationDocument | None]
) -> None:
    """Write the page of one result with its files; those of before are replaced.

    Parameters
    ----------
    folder
        Of the report.
    path
        Of the page in it.
    found
        The result, its density loaded where there is one.
    calculation
        Returns the calculation of a role, None where the store has it no more.
    """
    document: ResultDocument = found.document
    page = folder / path
    page.parent.mkdir(parents=True, exist_ok=True)
    by_role = {term.role: calculation(term.role) for term in document.terms}
    density = difference_data(document)
    data = result_data(found, {role: each for role, each in by_role.items() if each is not None}, density)
    data.files = _files(page.parent, document, data, density[1] if density else None)
    without = getattr(document, "density_difference", None) is None  # what the interactive view cannot show instead
    if without and (figure := get_kind(document.document_type).figure(document)) is not None:
        save(figure, page.parent / _PICTURE)
        data.picture, data.picture_text = _PICTURE, f"Figure of {data.title}"
    page.write_text(result_page(data), encoding="utf-8")


def _files(place: Path, document: ResultDocument, data: ResultData, thin: Thinned | None) -> list[FileData]:
    structure = document.structure
    told = dict(_STRUCTURES)
    for name in (*told, *_MAYBE):
        (place / name).unlink(missing_ok=True)
    write_structure(structure, place / "structure.cif", "cif")
    write_structure(structure, place / "POSCAR", "poscar")
    if thin is not None and data.volume is not None:
        write_density(thin.values, structure, place / "difference.cube", "cube")
        told["difference.cube"] = (
            f"the charge-density difference in e/Bohr^3 on the grid of the view, {data.volume.spacing:.2f} A; "
            "a command below writes the full one"
        )
    if data.curves:
        (place / "profiles.csv").write_text(_curves_csv(data), encoding="utf-8")
        told["profiles.csv"] = "the profiles"
    if data.charges is not None:
        (place / "charges.csv").write_text(_table_csv(data.charges), encoding="utf-8")
        told["charges.csv"] = "the charges of the atoms"
    return [FileData(name=name, what=what) for name, what in told.items()]


def _curves_csv(data: ResultData) -> str:
    import pandas as pd

    columns = {}
    for curve in data.curves:
        columns[f"z / A of {curve.title}"] = np.array(curve.z)
        columns[curve.label] = np.array(curve.values)
    return str(pd.DataFrame({name: pd.Series(values) for name, values in columns.items()}).to_csv(index=False))


def _table_csv(table: TableData) -> str:
    import pandas as pd

    return str(pd.DataFrame(table.rows, columns=table.headings).to_csv(index=False))
