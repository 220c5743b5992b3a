"""What people say of stored results: tags, notes, and that a result is not to be believed; and what they delete."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from jobflow import JobStore

from iface_wf.documents.kinds import get_kind, kind_names
from iface_wf.documents.result import LONGEST_TITLE
from iface_wf.documents.trust import REJECTED
from iface_wf.errors import InputError, shown
from iface_wf.store.job_store import require_writable
from iface_wf.store.results import find_result
from iface_wf.store.versions import document_in

_NAME = "iface_wf"  # in the metadata of a job, which are nobody else's
_TAG = re.compile(r"[\w.+-]{1,40}")
#: Longest note or reason, characters.
_LONGEST = 500


class Deletion(NamedTuple):
    """What the deletion of a result takes away, and what it leaves.

    Attributes
    ----------
    key
        Of the result.
    entries
        Of the job store, each by uuid and index: the result, as often as it was stored, and calculations.
    calculations
        Roles of the calculations that go with it.
    shared
        Keys of other results that rest on calculations of this one, by role: these calculations stay.
    """

    key: str
    entries: list[dict[str, Any]]
    calculations: list[str]
    shared: dict[str, list[str]]


def marks_of(store: JobStore, kind: str) -> dict[str, tuple[list[str], str]]:
    """Return tags and note of the results of a kind that have any, by uuid."""
    found = store.query({"output.document_type": kind, f"metadata.{_NAME}": {"$exists": True}}, ["uuid", "metadata"])
    told = {str(entry["uuid"]): entry["metadata"][_NAME] for entry in found}
    return {uuid: (list(said.get("tags", [])), str(said.get("note", ""))) for uuid, said in told.items()}


def tag(store: JobStore, identifier: str, add: Iterable[str], remove: Iterable[str]) -> list[str]:
    """Add tags to a result and take others away; return those that it has then.

    Raises
    ------
    InputError
        For a tag that is no word, a result that is not there, and a store that may only be read.
    """
    added, removed = list(add), set(remove)
    for each in (*added, *removed):
        if not _TAG.fullmatch(each):
            raise InputError(
                f"{shown(each)} is no tag: a word of letters, digits, and . _ + - has 40 characters at most."
            )
    entries = _entries(store, identifier)
    tags: list[str] = []
    for entry in entries:
        said = _said(entry)
        tags = sorted(({*said.get("tags", [])} | set(added)) - removed)
        said["tags"] = tags
    _write(store, entries)
    return tags


def note(store: JobStore, identifier: str, text: str) -> None:
    """Keep a note beside a result; an empty one takes it away.

    Raises
    ------
    InputError
        For a note that is too long, a result that is not there, and a store that may only be read.
    """
    entries = _entries(store, identifier)
    for entry in entries:
        _said(entry)["note"] = _line(text, "note")
    _write(store, entries)


def entitle(store: JobStore, identifier: str, text: str) -> None:
    """Give a result a title of one's own; an empty one takes it away.

    Raises
    ------
    InputError
        For a title that is too long or no line of text, a result that is not there, and a store that may only be read.
    """
    entries = _entries(store, identifier)
    title = _line(text, "title", LONGEST_TITLE)
    if not title.isprintable():
        raise InputError("A title is one line of text that can be printed.")
    changed = [entry for entry in entries if entry["output"].get("title") != (title or None)]
    for entry in changed:
        entry["output"]["title"] = title or None
    if changed:
        _write(store, changed)


def reject(store: JobStore, identifier: str, reason: str) -> str:
    """Flag a result as not to be believed, so that nobody ranks, compares or gets it; return its key.

    Raises
    ------
    InputError
        Without a reason, for a result that is not there or of an older version, and for a store that may only be read.
    """
    why = _line(reason, "reason")
    if not why:
        raise InputError("A result is rejected for a reason: say it with --reason.")
    return _flag(store, identifier, f"{REJECTED} ({why})")


def accept(store: JobStore, identifier: str) -> str:
    """Take back that a result was rejected; return its key. Errors as of `reject`, and for one that was not rejected."""
    return _flag(store, identifier, None)


def rejection(flags: Iterable[str]) -> str | None:
    """Return why a result was rejected by hand, as its flags say; None where it was not."""
    return next((flag.partition(" ")[2].strip("()") for flag in flags if flag.split(" ")[0] == REJECTED), None)


def plan_deletion(store: JobStore, identifier: str, calculations: bool) -> Deletion:
    """Say what would be deleted with a result.

    Parameters
    ----------
    store
        Connected job store.
    identifier
        First characters of the result's key or uuid.
    calculations
        Whether its calculations go too, where no other result rests on them.

    Raises
    ------
    InputError
        When there is no such result, or more than one.
    """
    entries = _entries(store, identifier)
    key = str(entries[0]["output"]["key"])
    roles = {term["uuid"]: term["role"] for entry in entries for term in entry["output"]["terms"] if term.get("uuid")}
    others = _users(store, roles, key)
    going = {uuid: role for uuid, role in roles.items() if uuid not in others} if calculations else {}
    found = store.query({"uuid": {"$in": sorted(going)}, "output.document_type": "calculation"}, ["uuid", "index"])
    calculated = [{name: each[name] for name in ("uuid", "index")} for each in found]
    return Deletion(
        key,
        [*({name: entry[name] for name in ("uuid", "index")} for entry in entries), *calculated],
        sorted({going[each["uuid"]] for each in calculated}),
        {roles[uuid]: sorted(keys) for uuid, keys in others.items()},
    )


def delete(store: JobStore, planned: Deletion) -> None:
    """Delete what was planned, with its densities; InputError for a store that may only be read."""
    require_writable(store)
    for entry in planned.entries:  # what refers to large data before these: a kill leaves none that lacks its density
        store.docs_store.remove_docs(entry)
    for data in store.additional_stores.values():
        for entry in planned.entries:
            data.remove_docs({"job_uuid": entry["uuid"], "job_index": entry["index"]})


def _users(store: JobStore, roles: Mapping[str, str], key: str) -> dict[str, set[str]]:
    """Return the keys of the other results that rest on some calculations, by these' uuids."""
    used: dict[str, set[str]] = {}
    criteria = {"output.document_type": {"$in": kind_names()}, "output.key": {"$ne": key}}
    for entry in store.query(criteria, ["output.key", "output.terms"]):
        for term in entry["output"].get("terms") or []:
            if term.get("uuid") in roles:
                used.setdefault(term["uuid"], set()).add(entry["output"]["key"])
    return used


def _entries(store: JobStore, identifier: str) -> list[dict[str, Any]]:
    """Return all entries of a result, without large data."""
    key = find_result(store, identifier).document.key
    return list(store.query({"output.document_type": {"$in": kind_names()}, "output.key": key}, load=False))


def _flag(store: JobStore, identifier: str, flag: str | None) -> str:
    entries = _entries(store, identifier)
    if flag is None and all(rejection(entry["output"]["flags"]) is None for entry in entries):
        raise InputError(f"The result {entries[0]['output']['key'][:10]} was not rejected.")
    for entry in entries:
        output = entry["output"]
        before = document_in(entry, get_kind(output["document_type"]).document)
        if output.get("schema_version") != before.schema_version:
            raise InputError(
                f"The result {before.key[:10]} is of an older version: iface-wf store migrate comes first."
            )
        kept = [each for each in output["flags"] if rejection([each]) is None]
        output["flags"] = kept if flag is None else [*kept, flag]
        output["trustworthy"] = before.model_copy(update={"flags": output["flags"]}).trustworthy
    _write(store, entries)
    return str(entries[0]["output"]["key"])


def _said(entry: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(entry.get("metadata"), dict):
        entry["metadata"] = {}
    said: dict[str, Any] = entry["metadata"].setdefault(_NAME, {})
    return said


def _write(store: JobStore, entries: list[dict[str, Any]]) -> None:
    require_writable(store)
    for entry in entries:
        entry.pop("_id", None)
    store.docs_store.update(entries, key=["uuid", "index"])


def _line(text: str, what: str, longest: int = _LONGEST) -> str:
    line = " ".join(text.split())
    if len(line) > longest:
        raise InputError(f"A {what} has {longest} characters at most, not {len(line)}.")
    return line
