"""The interactive view of a result inside a notebook: one frame that needs neither network nor files."""

from __future__ import annotations

import html
import re
from typing import Any

from iface_wf.documents.kinds import get_kind
from iface_wf.reports.site.atoms import atom_data
from iface_wf.reports.site.html import asset
from iface_wf.reports.site.models import CONTROLS, AtomData, PageModel, VolumeData
from iface_wf.reports.site.result import difference_data

_SCRIPTS = ("common.js", "3Dmol-min.js", "exports.js", "marchingcubes.js", "viewer.js", "structure.js")
_START = "showStructure(); document.body.dataset.ready = 'true';"
#: The frame has all of it inside, and may ask for nothing.
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_HEIGHT = 620
"""Of the frame, pixels."""


class ViewData(PageModel):
    """What the frame is told."""

    atoms: AtomData
    volume: VolumeData | None


def view(document: Any) -> str:
    """Return a frame with the structure of a result, and the surfaces of its charge-density difference where it is loaded.

    Parameters
    ----------
    document
        The result; its density is drawn where it was asked for, see `iface_wf.show`.

    Returns
    -------
    str
        HTML; the frame runs its own scripts, apart from the notebook. Empty for a result without a cell.
    """
    structure = document.structure
    if not structure.lattice.volume > 0:
        return ""
    difference = difference_data(document)
    data = ViewData(atoms=atom_data(structure), volume=None if difference is None else difference[0])
    title = html.escape(get_kind(document.document_type).heading_of(document).translate(CONTROLS)[:200])
    filled = {
        "POLICY": html.escape(_POLICY),
        "TITLE": title,
        "STYLE": asset("report.css").decode(),
        "DATA": data.script_json(),
        # one element each: 3Dmol.js looks whether there is an `exports`, which a later one makes
        "SCRIPTS": "\n".join(f"<script>{text}</script>" for text in (*(asset(n).decode() for n in _SCRIPTS), _START)),
    }
    page = re.sub(r"@([A-Z]+)@", lambda place: filled[place[1]], asset("notebook.html").decode())
    lines = [
        f'<iframe title="Structure of {title}" sandbox="allow-scripts allow-downloads" width="100%" height="{_HEIGHT}" '
        f'style="border: 0" srcdoc="{html.escape(page)}"></iframe>'
    ]
    if difference is None and getattr(document, "density_difference", None) is not None:
        key = html.escape(document.key[:10])
        lines.append(
            "<p>The charge-density difference stays in the store until it is asked for: "
            f"<code>iface_wf.show('{key}', densities=True)</code> shows its surfaces.</p>"
        )
    return "\n".join(lines)
