"""Which surface of a filler is meant: one of its own, Miller indices, or text."""

from __future__ import annotations

from typing import Any

from iface_wf.errors import InputError
from iface_wf.library.records import FillerRecord, SurfaceSpec

Surface = SurfaceSpec | tuple[int, int, int] | str | None


def resolve_surface(record: FillerRecord, surface: Surface) -> SurfaceSpec:
    """Give the surface that was asked for, taking what is not said from the record's own surfaces.

    Parameters
    ----------
    record
        The filler.
    surface
        As for `iface_wf.builders.solids.slabs.build_slab`.

    Raises
    ------
    InputError
        If the text is not Miller indices, or all are 0.
    """
    if surface is None:
        return record.surfaces[0]
    if isinstance(surface, SurfaceSpec):
        return surface
    termination: str | None = None
    if isinstance(surface, str):
        text, _, termination_text = surface.partition("/")
        termination = termination_text.strip() or None
        surface = _miller_from_text(text)
    if len(surface) != 3 or not any(surface):
        raise InputError(f"Miller indices {tuple(surface)} are no plane: three integers, not all 0, are needed.")
    known = [spec for spec in record.surfaces if spec.miller == tuple(surface)]
    base = (
        known[0]
        if known
        else record.surfaces[0].model_copy(update={"termination": None, "condense": False, "reason": "as asked"})
    )
    update: dict[str, Any] = {"miller": tuple(int(h) for h in surface)}
    if termination is not None:
        update["termination"] = termination
    return base.model_copy(update=update)


def _miller_from_text(text: str) -> tuple[int, int, int]:
    body = text.strip().strip("()[]").replace(",", " ")
    parts = body.split()
    if len(parts) == 1:  # "101" or "10-1"
        parts, sign = [], ""
        for character in body:
            if character == "-" and not sign:
                sign = "-"
            else:
                parts.append(sign + character)
                sign = ""
    try:
        values = [int(p) for p in parts]
    except ValueError:
        values = []
    if len(values) != 3:
        raise InputError(f"{text[:40]!r} are not Miller indices; write them as 101, 10-1 or '1 0 -1'.")
    return values[0], values[1], values[2]
