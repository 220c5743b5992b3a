"""Schemes that give charges to atoms, by name; the one that comes first gives the charge transfer of an interface."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from iface_wf.documents.bader import BaderDocument
from iface_wf.documents.charges import ChargesDocument
from iface_wf.documents.hirshfeld import HirshfeldDocument

SCHEMES: dict[str, type[ChargesDocument]] = {"bader": BaderDocument, "hirshfeld": HirshfeldDocument}


def _of_its_scheme(value: Any) -> Any:
    """Read a stored document as the class of its scheme."""
    if not isinstance(value, dict):
        return value
    scheme = value.get("scheme")
    if scheme not in SCHEMES:
        raise ValueError(f"unknown scheme of charges {scheme!r}, known: {', '.join(SCHEMES)}")
    return SCHEMES[scheme].model_validate(value)


AtomicCharges = Annotated[SerializeAsAny[ChargesDocument], BeforeValidator(_of_its_scheme)]
"""A document of any registered scheme, stored with all that the scheme tells."""
