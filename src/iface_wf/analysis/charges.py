"""Charges moved between the components of an interface, from the charges of atoms by any scheme."""

from __future__ import annotations

from collections.abc import Sequence

from iface_wf.documents.charges import ChargesDocument
from iface_wf.errors import CalculationError, InputError

CHARGE_TOLERANCE = 1e-3
"""Charges that must be equal may differ by this, e: what the integration over a grid loses."""


def component_sums(labels: Sequence[str], charges: Sequence[float]) -> dict[str, float]:
    """Sum the charges of atoms (e) over the components that their labels name."""
    sums = dict.fromkeys(labels, 0.0)
    for label, charge in zip(labels, charges, strict=True):
        sums[label] += float(charge)
    return sums


def charge_transfer(whole: ChargesDocument, isolated: Sequence[ChargesDocument]) -> dict[str, float]:
    """Return for each component its charge in the whole minus its charge in isolation, e.

    Positive: the component lost electrons when the whole was formed. Components that are together in isolation, such as
    a polymer with an ion pair, may also exchange charge with each other.

    Parameters
    ----------
    whole
        Charges of the whole system, with the component label of every atom.
    isolated
        Charges of the parts in isolation, with the labels their atoms have in the whole; together they are the whole.

    Returns
    -------
    dict of float
        By component; the values add up to zero within `CHARGE_TOLERANCE`.

    Raises
    ------
    InputError
        Labels are missing, the parts are not just the atoms of the whole, or the schemes differ.
    CalculationError
        The values do not add up to zero.
    """
    if any(each.scheme != whole.scheme for each in isolated):
        raise InputError(f"Charges by {', '.join(sorted({whole.scheme, *(p.scheme for p in isolated)}))} are no pair.")
    if any(each.components is None for each in (whole, *isolated)):
        raise InputError("Charge transfer needs the component label of every atom, in the whole and in the parts.")
    before, after = _atoms([whole]), _atoms(isolated)
    differing = [label for label in before | after if before.get(label) != after.get(label)]
    if differing:
        raise InputError(
            f"The isolated parts do not have the atoms of the whole that are labelled {', '.join(differing)}."
        )
    in_whole = component_sums(whole.components or [], whole.net_charges)
    alone = component_sums(
        [label for part in isolated for label in part.components or []],
        [charge for part in isolated for charge in part.net_charges],
    )
    transfer = {label: charge - alone[label] for label, charge in in_whole.items()}
    total = sum(transfer.values())
    if abs(total) > CHARGE_TOLERANCE:
        raise CalculationError(
            f"Charge transfers of {', '.join(transfer)} add up to {total:+.4f} e instead of 0: the parts and the whole "
            "differ in charge."
        )
    return transfer


def _atoms(documents: Sequence[ChargesDocument]) -> dict[str, list[str]]:
    """List the elements of each component, sorted."""
    atoms: dict[str, list[str]] = {}
    for document in documents:
        for label, element in zip(document.components or [], document.species, strict=True):
            atoms.setdefault(label, []).append(element)
    return {label: sorted(elements) for label, elements in atoms.items()}
