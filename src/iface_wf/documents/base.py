"""What all documents share: no unknown keys, a version, and structures as plain dicts in whatever form they arrive."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    InstanceOf,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pymatgen.core import Structure

from iface_wf.documents.upgrade import SCHEMA_VERSION, upgrade
from iface_wf.foreign import without_foreign


def _as_dict(value: Any) -> Any:
    """Turn a pymatgen object into its dict, in which no unknown object is named.

    jobflow decodes stored structures on their way into a job.
    """
    return value.as_dict() if hasattr(value, "as_dict") else without_foreign(value)


StructureDict = Annotated[dict[str, Any], BeforeValidator(_as_dict)]
"""A pymatgen Structure as a dict, with the site property ``component``."""


def _as_structure(value: Any) -> Structure:
    """Turn a stored dict into a pymatgen object; no other class that it may name is looked up."""
    if isinstance(value, Structure):
        return value
    try:
        return Structure.from_dict(without_foreign(value))
    except Exception as error:
        raise ValueError(f"no structure of pymatgen ({type(error).__name__}: {error})") from error


RelaxedStructure = Annotated[
    InstanceOf[Structure],
    BeforeValidator(_as_structure),
    PlainSerializer(_as_dict, return_type=dict[str, Any]),
    WithJsonSchema({"type": "object", "description": "A pymatgen Structure as a dict"}),
]
"""A pymatgen Structure, with the site property ``component``; stored as its dict."""


class Document(BaseModel):
    """Base of the stored documents; reads them back as the job store holds them."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_class_marks(cls, data: Any) -> Any:
        """Drop the marks (@module, @class...) that jobflow's serialisation adds, and what follows from the rest."""
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if not k.startswith("@") and k not in cls.model_computed_fields}


class StoredDocument(Document):
    """Base of what is stored by itself: it says its kind and version, and one of an older version is read as of today.

    Reading one of a newer version of this program raises an `InputError`.
    """

    document_type: str
    schema_version: int = SCHEMA_VERSION

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, data: Any) -> Any:
        """Upgrade what was stored; what is being made here says no kind, because a class has but one."""
        return upgrade(data) if isinstance(data, dict) and "document_type" in data else data
