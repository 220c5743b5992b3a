"""A result as a notebook shows it: names, numbers with unit and sign, and flags. All text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

#: HTML has no control characters but white space.
_CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}


def html_of(document: Any) -> str:
    """Return a small table of a result.

    Parameters
    ----------
    document
        The result, a `iface_wf.documents.result.ResultDocument`; its ``units_of`` says which fields are numbers, with unit and sign.

    Returns
    -------
    str
        HTML without scripts and styles.
    """
    names = [
        document.filler,
        document.surface,
        document.polymer,
        document.units and f"x {document.units}",
        document.salt,
    ]
    method = (document.engine, document.level, document.functional, document.dispersion)
    lines = [
        f"<p><b><bdi>{_text(', '.join(str(name) for name in names if name))}</bdi></b><br>",
        f"{_text(' '.join(part for part in method if part))}, key {_text(document.key[:10])}</p>",
        *([] if document.trustworthy else ["<p><b>NOT TRUSTWORTHY</b></p>"]),
        *([f"<p>Flags: <bdi>{_text('; '.join(document.flags))}</bdi></p>"] if document.flags else []),
        "<table><thead><tr><th>quantity</th><th>value</th><th>unit and sign</th></tr></thead><tbody>",
        *(
            f"<tr><td>{_text(name)}</td><td>{value:.4f}</td><td>{_text(unit)}</td></tr>"
            for name, value, unit in _numbers(document)
        ),
        "</tbody></table>",
    ]
    return "\n".join(lines)


def _numbers(document: Any) -> Iterator[tuple[str, float, str]]:
    """Return the numbers of a result by name, those in mappings by their keys too, with unit and sign."""
    for field, unit in document.units_of.items():
        value = getattr(document, field, None)
        of_field = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, number in of_field:
            if isinstance(number, float):
                yield f"{field.replace('_', ' ')} {key}".strip(), number, unit


def _text(text: str) -> str:
    return html.escape(text.translate(_CONTROLS))
