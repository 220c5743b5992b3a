"""A result as a picture and as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from iface_wf.documents.kinds import Row, get_kind
from iface_wf.documents.result import ResultDocument
from iface_wf.reports.names import method_name
from iface_wf.reports.paths import save

#: HTML has no control characters but white space; some would steer the terminal of whoever looks into the file.
_CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; } p.method { color: #555; }
img { max-width: 100%; } table { border-collapse: collapse; } td, th { padding: .25rem .8rem; text-align: left; }
th { border-bottom: 2px solid #999; } td { border-bottom: 1px solid #ddd; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: #a11; font-weight: bold; } pre { overflow-x: auto; background: #f5f5f5; padding: .8rem; font-size: .8rem; }
"""


def save_figure(document: ResultDocument, path: Path, iso: float | None = None) -> Path | None:
    """Write the figure of a result as PNG; None where its kind has no figure.

    Parameters
    ----------
    document
        The result, its densities loaded, see `iface_wf.store.results.find_result`.
    path
        File to write.
    iso
        Isovalue in e/A^3; by default chosen from the density.

    Returns
    -------
    Path or None
        The file; one that existed is replaced.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    figure = get_kind(document.document_type).figure(document, iso)
    if figure is None:
        return None
    save(figure, path)
    return path


def html_page(document: ResultDocument, uuid: str, completed_at: str, iso: float | None = None) -> str:
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
    kind = get_kind(document.document_type)
    title = html.escape(kind.heading_of(document))
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
        _picture(kind.figure(document, iso), title),
        "<h2>Results</h2>",
        _table(
            ("quantity", "value", "unit", "meaning"),
            [(row.name.strip(), _with_uncertainty(row), row.unit, row.meaning) for row in kind.summary(document)],
        ),
        *(
            f"<h2>{html.escape(section.title)}</h2>{_table(section.headings, section.rows)}"
            for section in kind.sections(document)
        ),
        "<h2>Energy terms</h2>",
        _table(
            ("term", "energy / eV", "dispersion / eV", "converged", "corrections", "flags", "key"), _terms(document)
        ),
        "<h2>Provenance</h2>",
        _table(("", ""), _provenance(document, uuid, completed_at)),
        f"<pre>{html.escape(json.dumps(document.provenance, indent=2, ensure_ascii=False, default=str))}</pre>",
        "</body></html>",
    ]
    return "\n".join(parts).translate(_CONTROLS)


def _picture(figure: Figure | None, title: str) -> str:
    if figure is None:
        return ""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="Figure of {title}" src="data:image/png;base64,{picture}">'


def _warnings(document: ResultDocument) -> str:
    lines = [] if document.trustworthy else ["Not converged, or a flag below forbids trusting these numbers."]
    lines += [f"Flag: {flag}" for flag in document.flags]
    return "".join(f"<p class=bad>{html.escape(line)}</p>" for line in lines)


def _terms(document: ResultDocument) -> list[tuple[Any, ...]]:
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


def _provenance(document: ResultDocument, uuid: str, completed_at: str) -> list[tuple[Any, ...]]:
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


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{html.escape(h)}</th>" for h in headings) if any(headings) else ""
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _with_uncertainty(row: Row) -> float | str | None:
    if row.value is None or row.uncertainty is None:
        return row.value
    return f"{row.value:.3f} ± {row.uncertainty:.3f}"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"<td class=n>{value:.5g}</td>" if abs(value) < 100 else f"<td class=n>{value:.4f}</td>"
    return f"<td>{html.escape('-' if value is None else str(value))}</td>"
