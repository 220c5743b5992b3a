"""Ions alone on a surface: why they have no energy there, and what can be asked for instead."""

from __future__ import annotations

import re

from iface_wf.errors import InputError, shown
from iface_wf.library.library import Library
from iface_wf.library.records import SaltRecord

_CHARGE = re.compile(r"[\s()\[\]]|\^|[+\-−–⁺⁻]+\d*$")
_CATION = re.compile(r"\[?([A-Z][a-z]?)\+?\d*\]?")


def salt_of_ion(name: str, library: Library) -> SaltRecord | None:
    """Return the first salt of the library of which a name is that of an ion: TFSI-, PF6, Li+; None of anything else."""
    text = name.strip()
    for _ in range(3):  # brackets within charges: [TFSI]-
        text = _CHARGE.sub("", text)
    if not text:
        return None
    # of several salts that have a cation, that whose anion is most asked for
    salts = sorted(library.records("salt"), key=lambda record: record.name != "LiTFSI")
    for record in salts:
        assert isinstance(record, SaltRecord)
        found = _CATION.match(record.cation)
        cation = found[1] if found else ""
        names = {cation, record.name.removeprefix(cation)} - {record.name, ""}
        if text.casefold() in {each.casefold() for each in names}:
            return record
    return None


def no_ion_alone(what: str, salt: str) -> InputError:
    """Say why an ion alone has no energy on a slab, and which neutral ways there are.

    Parameters
    ----------
    what
        What would be charged, the beginning of the sentence.
    salt
        A salt to which the ion belongs.
    """
    return InputError(
        f"{what}: a slab is repeated in its plane, and the energy of a charged cell is not defined (it hangs on the vacuum and on the "
        f"charge that is smeared out against it). Neutral ways: the ion pair on the surface (--salt {salt}), also beside a polymer or "
        f"molecule; without a slab, Li+ at the anion or at a molecule (--quantities li_binding_energy --salt {salt}, or --molecule EC) and "
        f"the energy that separates the ions (--quantities dissociation_energy --salt {salt})."
    )


def refuse_ion(name: str, library: Library) -> None:
    """Refuse the name of an ion where a molecule is asked for (`InputError`)."""
    salt = salt_of_ion(name, library)
    if salt is not None:
        raise no_ion_alone(f"{shown(name.strip())} is an ion of {salt.name} and stands on no surface alone", salt.name)
