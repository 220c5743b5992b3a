"""A result as a picture and as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from pymatgen.core import Structure

from iface_wf.analysis.density import unpack
from iface_wf.documents.binding import UNITS, BindingDocument
from iface_wf.errors import InputError
from iface_wf.report.figures import binding_figure
from iface_wf.report.names import interface_name, method_name

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; } p.method { color: #555; }
img { max-width: 100%; } table { border-collapse: collapse; } td, th { padding: .25rem .8rem; text-align: left; }
th { border-bottom: 2px solid #999; } td { border-bottom: 1px solid #ddd; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: #a11; font-weight: bold; } pre { overflow-x: auto; background: #f5f5f5; padding: .8rem; font-size: .8rem; }
"""


def result_figure(document: BindingDocument, iso: float | None = None) -> Figure:
    """Draw the figure of a result; its density must have been loaded, see `find_binding(..., load=True)`.

    Parameters
    ----------
    document
        The result.
    iso
        Isovalue in e/A^3; chosen from the density by default.
    """
    difference = document.density_difference
    energy = _energy_text(document)
    return binding_figure(
        Structure.from_dict(document.structure),
        None if difference is None else unpack(difference.density),
        None if difference is None else difference.z,
        None if difference is None else difference.delta_rho_z,
        None if difference is None else difference.delta_q_z,
        title=interface_name(document),
        subtitle=f"{energy}\n{method_name(document)}",
        iso=iso,
    )


def save_figure(document: BindingDocument, path: Path, iso: float | None = None) -> Path:
    """Write the figure of a result as PNG.

    Parameters
    ----------
    document
        The result, its density loaded.
    path
        The file; one that exists is replaced.
    iso
        Isovalue in e/A^3; chosen from the density by default.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    figure = result_figure(document, iso)
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise InputError(f"The picture {path} cannot be written: {error.strerror}.") from error
    return path


def html_page(document: BindingDocument, uuid: str, completed_at: str, iso: float | None = None) -> str:
    """Return a self-contained page: picture, numbers with unit and sign, terms, provenance. All text is escaped.

    Parameters
    ----------
    document
        The result, its density loaded.
    uuid
        Job that holds it.
    completed_at
        When that job ended, ISO 8601.
    iso
        Isovalue of the picture in e/A^3; chosen from the density by default.

    Returns
    -------
    str
        HTML that needs no other file and runs no script.
    """
    buffer = io.BytesIO()
    result_figure(document, iso).savefig(buffer, format="png")
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    title = html.escape(interface_name(document))
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        # No script can run here, whatever a name in the data says.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p class=method>{html.escape(method_name(document))}</p>",
        _warnings(document),
        f'<img alt="Structure with charge-density difference, and its profiles along z" '
        f'src="data:image/png;base64,{picture}">',
        "<h2>Results</h2>",
        _table(("quantity", "value", "unit and sign"), _quantities(document)),
        "<h2>Energy terms</h2>",
        _table(
            ("term", "energy / eV", "dispersion / eV", "converged", "corrections", "flags", "key"), _terms(document)
        ),
        "<h2>Provenance</h2>",
        _table(("", ""), _provenance(document, uuid, completed_at)),
        f"<pre>{html.escape(json.dumps(document.provenance, indent=2, ensure_ascii=False, default=str))}</pre>",
        "</body></html>",
    ]
    return "\n".join(parts)


def _energy_text(document: BindingDocument) -> str:
    if document.binding_energy is None:
        return "No binding energy: not converged"
    text = f"Binding energy {_signed(document.binding_energy)} eV"
    if document.binding_energy_cp is not None:
        text += f" ({_signed(document.binding_energy_cp)} eV counterpoise corrected)"
    return text if document.converged else f"{text} - not trustworthy"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _warnings(document: BindingDocument) -> str:
    lines = [] if document.converged else ["Not converged, or a flag below forbids trusting these numbers."]
    lines += [f"Flag: {flag}" for flag in document.flags]
    return "".join(f"<p class=bad>{html.escape(line)}</p>" for line in lines)


def _quantities(document: BindingDocument) -> list[tuple[Any, ...]]:
    values: dict[str, Any] = {
        name: getattr(document, name)
        for name in UNITS
        if name in BindingDocument.model_fields and not isinstance(getattr(document, name), dict)
    }
    rows: list[tuple[Any, ...]] = [(n.replace("_", " "), v, UNITS[n]) for n, v in values.items() if v is not None]
    for name in ("deformation_energy", "charge_transfer"):
        rows += [(f"{name.replace('_', ' ')} {k}", v, UNITS[name]) for k, v in getattr(document, name).items()]
    if document.density_difference is not None:
        rows.append(("displaced charge", document.density_difference.displaced_charge, UNITS["displaced_charge"]))
    return rows


def _terms(document: BindingDocument) -> list[tuple[Any, ...]]:
    return [
        (
            t.role,
            t.energy,
            t.dispersion_energy,
            "yes" if t.converged else "NO",
            t.corrections,
            ", ".join(t.flags),
            t.key,
        )
        for t in document.terms
    ]


def _provenance(document: BindingDocument, uuid: str, completed_at: str) -> list[tuple[Any, ...]]:
    return [
        ("key", document.key),
        ("uuid", uuid),
        ("completed", completed_at),
        ("geometry", document.geometry_engine),
        ("engine", f"{document.engine} {document.engine_version}"),
        ("k-points", " x ".join(map(str, document.kpoints))),
        ("grid", "-" if document.grid is None else " x ".join(map(str, document.grid))),
        ("energy", document.energy_type),
    ]


def _table(headings: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    head = "".join(f"<th>{html.escape(h)}</th>" for h in headings) if any(headings) else ""
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"<td class=n>{value:.5g}</td>" if abs(value) < 100 else f"<td class=n>{value:.4f}</td>"
    return f"<td>{html.escape('-' if value is None else str(value))}</td>"
