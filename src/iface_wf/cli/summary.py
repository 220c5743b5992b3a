"""One result on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iface_wf.cli.output import number, plain_table, stdout

if TYPE_CHECKING:
    from iface_wf.documents.result import ResultDocument


def print_summary(document: ResultDocument) -> None:
    """Print the name, the method, the quantities and the flags of one result."""
    from iface_wf.documents.kinds import get_kind

    kind = get_kind(document.document_type)
    console = stdout()
    console.print(f"\n{kind.heading_of(document)}", style="bold")
    dispersion = f"-{document.dispersion}" if document.dispersion else ""
    console.print(
        f"{document.engine} {document.level}: {document.functional}{dispersion}, {document.basis}, "
        f"k-points {'x'.join(map(str, document.kpoints))}; geometry: {document.geometry_engine}; "
        f"{document.n_atoms} atoms{f', {document.area:.1f} A^2' if document.area else ''}"
    )
    table = plain_table("quantity", "value", "unit", "meaning", right=("value",))
    for row in kind.summary(document):
        value = number(row.value, 4 if row.unit == "e" else 3, row.uncertainty)
        table.add_row(row.name, value, row.unit, row.meaning)
    console.print(table)
    if not document.trustworthy:
        console.print("NOT TRUSTWORTHY: not converged, or a fatal flag below.", style="bold red")
    for flag in document.flags:
        console.print(f"  flag: {flag}", style="yellow")
