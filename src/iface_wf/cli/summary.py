"""One result on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iface_wf.cli.output import number, plain_table, stdout

if TYPE_CHECKING:
    from iface_wf.documents.binding import BindingDocument


def title_of(document: BindingDocument) -> str:
    """Name an interface for people, for example ``PEO (2 units) on SiO2 (101)``."""
    from iface_wf.report.names import interface_name

    return interface_name(document)


def print_summary(document: BindingDocument) -> None:
    """Print the table of energies and charges of one interface."""
    console = stdout()
    console.print(f"\n{title_of(document)}", style="bold")
    dispersion = f"-{document.dispersion}" if document.dispersion else ""
    console.print(
        f"{document.engine} {document.level}: {document.functional}{dispersion}, {document.basis}, "
        f"k-points {'x'.join(map(str, document.kpoints))}; geometry: {document.geometry_engine}; "
        f"{document.n_atoms} atoms, {document.area:.1f} A^2"
    )
    table = plain_table("quantity", "value", "unit", "meaning", right=("value",))
    corrected = document.binding_energy_cp is not None
    rows: list[tuple[str, float | None, str, str]] = [
        ("binding energy", document.binding_energy, "eV", "E(AB) - E(A) - E(B); negative = bound"),
    ]
    if corrected:
        rows.append(("  counterpoise corrected", document.binding_energy_cp, "eV", "without basis superposition"))
    rows += [
        ("interaction", document.interaction_energy, "eV", "A, B frozen as in AB; negative = attractive"),
        *((f"deformation {k}", v, "eV", f"cost of {_part(k)}'s change of shape") for k, v in _by_part(document)),
        ("dispersion part", document.dispersion_energy, "eV", "share of the binding energy"),
    ]
    if corrected:
        rows.append(("counterpoise", document.bsse_energy, "eV", "basis superposition error, >= 0"))
    rows += [
        (f"charge transfer {k}", v, "e", "positive = lost electrons; the components sum to 0")
        for k, v in document.charge_transfer.items()
    ]
    if document.density_difference is not None:
        rows.append(("displaced charge", document.density_difference.displaced_charge, "e", "half of |delta rho|"))
    for name, value, unit, meaning in rows:
        table.add_row(name, number(value, 4 if unit == "e" else 3), unit, meaning)
    console.print(table)
    if not document.trustworthy:
        console.print("NOT TRUSTWORTHY: not converged, or a fatal flag below.", style="bold red")
    for flag in document.flags:
        console.print(f"  flag: {flag}", style="yellow")


def _by_part(document: BindingDocument) -> list[tuple[str, float]]:
    return sorted(document.deformation_energy.items())


def _part(letter: str) -> str:
    return {"A": "the filler", "B": "the molecule"}.get(letter, letter)
