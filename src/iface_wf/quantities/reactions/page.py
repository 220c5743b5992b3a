"""A reaction for people: summary, tables, and both sides as levels."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from iface_wf.documents.kinds import Row, Section
from iface_wf.quantities.reactions.document import ReactionDocument, ReactionPiece
from iface_wf.reports.uncertainty import uncertainty_section

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rows(document: ReactionDocument) -> list[Row]:
    """Return the energy and what it is made of."""
    covers = ", ".join(f"{name} {size:.3f}" for name, size in document.uncertainty_parts.items())
    missing = ["functional"] + (["search of slabs"] if any(piece.slab for piece in document.pieces) else [])
    found = [
        Row(
            "reaction energy", document.reaction_energy, "eV",
            "E(right) - E(left), every piece relaxed alone; positive = costs energy", document.uncertainty,
        ),
        Row("  uncertainty", document.uncertainty, "eV", f"covers {covers or 'nothing'}; not known: {', '.join(missing)}"),
    ]  # fmt: skip
    found += [
        Row(
            f"  {piece.factor:+d} {name_of(piece)[:60]}",
            piece.energy,
            "eV",
            f"{piece.role}: total energy of one, {piece.formula}",
        )
        for piece in document.pieces
    ]
    if document.dispersion_energy is not None:
        found.append(Row("dispersion part", document.dispersion_energy, "eV", "share of the reaction energy"))
    return found


def sections(document: ReactionDocument) -> list[Section]:
    """Return the tables of the pieces and of the uncertainty."""
    pieces = [
        (piece.role, piece.factor, name_of(piece), piece.formula, piece.n_atoms, piece.energy)
        for piece in document.pieces
    ]
    return [
        Section("Pieces, each relaxed alone", ("", "times", "piece", "formula", "atoms", "energy, eV"), pieces),
        uncertainty_section(document.uncertainty_parts),
    ]


def name_of(piece: ReactionPiece) -> str:
    """Name a piece, for example ``PEO x 2`` or ``SiO2 (slab)``."""
    units = "" if piece.units is None else f" x {piece.units}"
    return f"{PurePath(piece.name).name}{units}{' (slab)' if piece.slab else ''}"


def figure(document: ReactionDocument) -> Figure | None:
    """Draw the energies of both sides as levels, the left one at zero."""
    if document.reaction_energy is None:
        return None
    from iface_wf.reports.figures import LABEL_SIZE, new_figure

    sides = document.reaction.split(" -> ")
    drawn = new_figure(6.0, 3.2)
    axes = drawn.subplots()
    levels = (0.0, document.reaction_energy)
    for place, level in enumerate(levels):
        axes.hlines(level, place - 0.3, place + 0.3, color="0.1", lw=2.5)
    axes.plot([0.3, 0.7], levels, color="0.6", lw=1.0, ls="--")
    axes.errorbar([1.0], levels[1:], yerr=[document.uncertainty or 0.0], fmt="none", ecolor="0.35", capsize=4.0)
    axes.set_xticks([0, 1], [_folded(side) for side in sides], fontsize=8, parse_math=False)
    axes.set_xlim(-0.6, 1.6)
    axes.margins(y=0.25)
    axes.set_ylabel("energy (eV)", fontsize=LABEL_SIZE)
    axes.set_title(f"{document.reaction_energy:+.3f} eV", fontsize=LABEL_SIZE)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return drawn


def _folded(side: str, width: int = 34) -> str:
    """Write one side with a line for each term, long names cut."""
    terms = side.split(" + ")
    return "\n+ ".join(term if len(term) <= width else f"{term[: width - 1]}…" for term in terms)
