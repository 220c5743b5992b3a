"""The pages around the data: markup that is the same for all, scripts and styles that lie beside them."""

from __future__ import annotations

import html
import re
from importlib import resources

from iface_wf.reports.site.models import CONTROLS, IndexData, ResultData

#: Files that all pages share, by name; licences stand beside the libraries that they are of.
ASSETS = (
    "report.css",
    "common.js",
    "index.js",
    "result.js",
    "viewer.js",
    "structure.js",
    "exports.js",
    "3Dmol-min.js",
    "3Dmol-LICENSE.txt",
    "plotly-cartesian.min.js",
    "plotly-LICENSE.txt",
    "marchingcubes.js",
    "marchingcubes-LICENSE.txt",
)
#: Scripts come from the folder of the report alone, nothing from elsewhere. Libraries set styles of elements.
POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data: "
    "blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)
GENERATOR = "iface-wf report"


def asset(name: str) -> bytes:
    """Return one of the `ASSETS`."""
    return (resources.files("iface_wf.reports.site") / "assets" / name).read_bytes()


def index_page(data: IndexData) -> str:
    """Return the page with the table, heat map and scatter of all results."""
    scripts = ("common.js", "index.js")
    return _page("index.html", data.title, data.script_json(), scripts, "assets", "results.csv")


def result_page(data: ResultData) -> str:
    """Return the page of one result."""
    scripts = (
        "common.js",
        "3Dmol-min.js",
        "exports.js",
        "marchingcubes.js",
        "viewer.js",
        "structure.js",
        "result.js",
    )
    return _page("result.html", data.title, data.script_json(), scripts, "../../assets", "structure.cif")


def _page(skeleton: str, title: str, data: str, scripts: tuple[str, ...], assets: str, plain: str) -> str:
    text = asset(skeleton).decode("utf-8")
    filled = {
        "TITLE": html.escape(title.translate(CONTROLS)),
        "POLICY": html.escape(POLICY),
        "GENERATOR": GENERATOR,
        "STYLE": f"{assets}/report.css",
        "PLAIN": plain,
        "SCRIPTS": "\n".join(f'<script src="{assets}/{name}"></script>' for name in scripts),
        "DATA": data,
    }
    return re.sub(r"@([A-Z]+)@", lambda place: filled[place[1]], text)  # once: what is filled in is no place itself
