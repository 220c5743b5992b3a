"""Bring a store that an older version filled up to date: documents in the schema of today, results under today's keys.

Every document is rewritten in one step, so the work may be interrupted at any time and done again; what is up to date is
left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from jobflow import JobStore

from iface_wf.documents.base import StoredDocument
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.failure import FailureDocument, failure_uuid
from iface_wf.documents.kinds import ResultKind, kinds
from iface_wf.documents.upgrade import SCHEMA_VERSION
from iface_wf.errors import IfaceError, InputError
from iface_wf.store.scalars import scalars
from iface_wf.store.versions import as_of_today, older, refuse_newer

_IDENTITY = ["uuid", "index"]
#: Documents that are written together: what an interruption costs at most.
_BATCH = 20
_CHUNK = 400
Entry = dict[str, Any]


class Keyed(NamedTuple):
    """The key of a result as this version makes it.

    Attributes
    ----------
    key
        The key.
    digests
        Digests of the parts as built, by name, where they are known.
    """

    key: str
    digests: dict[str, str] | None = None


class Kept(NamedTuple):
    """A document whose key could not be made anew.

    Attributes
    ----------
    kind, key, name
        Which one.
    reason
        One sentence.
    """

    kind: str
    key: str
    name: str
    reason: str


@dataclass
class Migration:
    """What a migration did, or would do.

    Attributes
    ----------
    upgraded, rekeyed
        Documents by kind that got the schema, and results and failures that got the keys of this version.
    jobs
        Documents that say which result they were made for, and now say it with its key of today.
    kept
        What keeps its key, and why.
    """

    upgraded: Counter[str] = field(default_factory=Counter)
    rekeyed: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    kept: list[Kept] = field(default_factory=list)


def migrate(
    store: JobStore,
    keys: Mapping[str, Callable[[Any], Keyed]],
    key_version: int,
    dry_run: bool = False,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Migration:
    """Bring all documents of a store up to date.

    Parameters
    ----------
    store
        Connected job store, of whatever kind.
    keys
        By kind of result: gives a document its key, or raises an `IfaceError` that says why it has none.
    key_version
        Of the keys of results of this version.
    dry_run
        Only say what would be done.
    tell
        Is told how many of the results have been looked at.

    Returns
    -------
    Migration
        What was done. Nothing is lost: what cannot have a key of today keeps the one that it has.

    Raises
    ------
    InputError
        When a newer version of this program has written to the store.
    """
    all_kinds = kinds()
    for kind in ("calculation", "failure", *(each.name for each in all_kinds)):
        refuse_newer(store, kind)
    done = Migration()
    work = _Work(store, done, dry_run)
    work.upgrade("calculation", CalculationDocument)
    failed = work.upgrade("failure", FailureDocument)
    former: dict[str, str] = {}
    for each in all_kinds:
        former |= work.results(each, keys.get(each.name), key_version, tell)
    work.failures(former)
    done.kept += [
        Kept("failure", each["key"], each["name"], "It tells no request; what failed is tried again.")
        for each in failed
        if each["key"] not in former
    ]
    work.jobs(former)
    return done


@dataclass
class _Work:
    store: JobStore
    done: Migration
    dry_run: bool

    def upgrade(self, kind: str, document: type[StoredDocument]) -> list[dict[str, Any]]:
        """Rewrite the documents of a kind that an older version wrote, and return them where they are failures."""
        failed: list[dict[str, Any]] = []
        for batch in _chunks(list(scalars(self.store, _IDENTITY, older([kind]))), _BATCH):
            read = [self._of_today(entry, kind, document) for entry in self._entries(batch)]
            entries = [entry for entry in read if entry is not None]
            self._write(entries)
            self.done.upgraded[kind] += len(entries)
            failed += [entry["output"] for entry in entries if kind == "failure"]
        return failed

    def results(
        self,
        kind: ResultKind,
        key_of: Callable[[Any], Keyed] | None,
        key_version: int,
        tell: Callable[[int, int], None],
    ) -> dict[str, str]:
        """Rewrite the results of a kind that have another schema or key version.

        Returns
        -------
        dict
            Keys of today by those of before, of all results of the kind that have ever been given a new one.
        """
        fields = [*_IDENTITY, "output.schema_version", "output.provenance.key_version"]
        found = list(scalars(self.store, fields, {"output.document_type": kind.name}))
        wanted = [
            (uuid, index)
            for uuid, index, schema, version in found
            if schema != SCHEMA_VERSION or (key_of is not None and version != key_version)
        ]
        former: dict[str, str] = {}
        seen = 0
        for batch in _chunks(wanted, _BATCH):
            changed: list[Entry] = []
            for before in self._entries(batch):
                entry = self._of_today(before, kind.name, kind.document)
                tell(seen := seen + 1, len(wanted))
                if entry is None:
                    continue
                self.done.upgraded[kind.name] += before["output"].get("schema_version") != SCHEMA_VERSION
                if key_of is not None and entry["output"]["provenance"].get("key_version") != key_version:
                    former |= self._rekey(kind, entry, key_of, key_version)
                changed += [entry] if entry != before else []
            self._write(changed)
        fields = ["output.provenance.former_key", "output.key"]
        known = scalars(self.store, fields, {"output.document_type": kind.name})
        return {old: new for old, new in known if old is not None} | former

    def _rekey(
        self, kind: ResultKind, entry: Entry, key_of: Callable[[Any], Keyed], key_version: int
    ) -> dict[str, str]:
        """Give a result its key of today, and say which one it had; or note why it keeps the one that it has."""
        output = entry["output"]
        document = kind.document.model_validate(output)
        try:
            new = key_of(document)
        except IfaceError as error:
            self.done.kept.append(Kept(kind.name, output["key"], kind.title_of(document), str(error)))
            return {}
        provenance = output["provenance"] | {"key_version": key_version}
        if new.digests is not None:
            provenance["digests"] = new.digests
        if new.key != output["key"]:
            provenance["former_key"] = output["key"]
            self.done.rekeyed[kind.name] += 1
        entry["output"] = output | {"key": new.key, "provenance": provenance}
        return {output["key"]: new.key} if new.key != output["key"] else {}

    def failures(self, former: Mapping[str, str]) -> None:
        """Move what is remembered of failed results to their keys of today; a later failure is not overwritten."""
        for chunk in _chunks(former.items(), _CHUNK):
            known = dict(chunk)
            criteria = {"output.document_type": "failure", "output.key": {"$in": list(known)}}
            for entry in list(self.store.docs_store.query(criteria)):
                key = known[entry["output"]["key"]]
                moved = {name: value for name, value in entry.items() if name != "_id"} | {"uuid": failure_uuid(key)}
                moved["output"] = entry["output"] | {"key": key}
                if not self.dry_run:
                    if self.store.docs_store.query_one({"uuid": moved["uuid"]}) is None:
                        self._write([moved])
                    self.store.docs_store.remove_docs({"uuid": entry["uuid"]})
                self.done.rekeyed["failure"] += 1

    def jobs(self, former: Mapping[str, str]) -> None:
        """Let the documents of jobs name the results that they were made for by their keys of today."""
        for chunk in _chunks(former.items(), _CHUNK):
            known = dict(chunk)
            identities = list(scalars(self.store, _IDENTITY, {"metadata.interface": {"$in": list(known)}}))
            for batch in _chunks(identities, _BATCH):
                entries = list(self._entries(batch))
                for entry in entries:
                    entry["metadata"]["interface"] = known[entry["metadata"]["interface"]]
                self._write(entries)
                self.done.jobs += len(entries)

    def _of_today(self, entry: Entry, kind: str, document: type[StoredDocument]) -> Entry | None:
        """Return an entry in the schema of today; None, and a note, for a damaged one, which is left as it is."""
        try:
            return as_of_today(entry, document)
        except InputError as error:
            self.done.kept.append(
                Kept(kind, str(entry["output"].get("key", "")), str(entry.get("name", "")), str(error))
            )
            return None

    def _entries(self, identities: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
        """Read documents; one that another process has removed meanwhile, such as a failure, is passed over."""
        for uuid, index in identities:
            entry: Entry | None = self.store.docs_store.query_one({"uuid": uuid, "index": index})
            if entry is not None:
                yield entry

    def _write(self, entries: list[Entry]) -> None:
        if entries and not self.dry_run:
            self.store.docs_store.update(entries, key=_IDENTITY)


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
