"""Who is who in a structure: the site property ``component``."""

from __future__ import annotations

from collections.abc import Sequence

from pymatgen.core import Structure

from iface_wf.documents.labels import LABELS
from iface_wf.errors import InputError, unknown_name


def _labels(structure: Structure) -> list[str]:
    labels = structure.site_properties.get("component", [])
    if len(labels) != len(structure) or any(label not in LABELS for label in labels):
        raise InputError(f"Every site of a structure needs a 'component' among {', '.join(LABELS)}.")
    return list(labels)


def indices(structure: Structure, *names: str) -> list[int]:
    """Give the indices of the sites that belong to the named components.

    Parameters
    ----------
    structure
        Labelled structure.
    names
        One or more of ``LABELS``.

    Returns
    -------
    list of int
        In ascending order; empty if the components do not occur.

    Raises
    ------
    InputError
        If a name is unknown or a site carries no valid label.
    """
    for name in names:
        if name not in LABELS:
            raise unknown_name("component", name, LABELS)
    wanted = set(names)
    return [i for i, label in enumerate(_labels(structure)) if label in wanted]


def select(structure: Structure, *names: str) -> Structure:
    """Give the part of a structure that belongs to the named components.

    Parameters
    ----------
    structure
        Labelled structure.
    names
        One or more of ``LABELS``.

    Returns
    -------
    Structure
        The chosen sites in their old order, at their old places, with the same cell, site properties and
        ``properties``; its charge is not set, because a part's charge is not known here.

    Raises
    ------
    InputError
        If a name is unknown, a site carries no valid label, or nothing is selected.
    """
    chosen = indices(structure, *names)
    if not chosen:
        raise InputError(f"The structure has no site of the component {' or '.join(names)}.")
    return Structure.from_sites(
        [structure[i] for i in chosen], properties=dict(structure.properties), to_unit_cell=False
    )


def label(structure: Structure, component: str, sites: Sequence[int] | None = None) -> Structure:
    """Give a copy whose sites carry the component's name.

    Parameters
    ----------
    structure
        Labelled or not.
    component
        One of ``LABELS``.
    sites
        Indices of the sites to label; by default all.

    Returns
    -------
    Structure
        The copy; other sites keep their labels, or have None.

    Raises
    ------
    InputError
        If the component is unknown.
    """
    if component not in LABELS:
        raise unknown_name("component", component, LABELS)
    labels = list(structure.site_properties.get("component", [None] * len(structure)))
    for i in range(len(structure)) if sites is None else sites:
        labels[i] = component
    labelled = structure.copy()
    labelled.add_site_property("component", labels)
    return labelled
