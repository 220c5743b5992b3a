"""What is remembered of something that could not be calculated."""

from __future__ import annotations

import uuid
from typing import Literal

from pydantic import Field

from iface_wf.documents.base import StoredDocument


class FailureDocument(StoredDocument):
    """Why an interface, or a part of one, has no result, so that it is not tried for ever."""

    document_type: Literal["failure"] = "failure"
    key: str = Field(description="Content key of what failed")
    name: str = Field(description="What failed, for people")
    cause: str = Field(description="One sentence")
    attempts: int = Field(description="How often it has been tried")


def failure_uuid(key: str) -> str:
    """Return under which uuid the failure of a key is stored: there is one at most."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"failure of {key}"))
