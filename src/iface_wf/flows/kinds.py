"""Kinds of results as something that can be asked for: from a request to the graph of its calculations."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from iface_wf.documents.kinds import ResultKind, get_kind, kind_of_all
from iface_wf.errors import IfaceError, InputError

if TYPE_CHECKING:
    from jobflow import JobStore

    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.store.migrate import Keyed

Lengths = tuple[float, float]


class FlowKind(ResultKind):
    """A kind of result with how it is calculated."""

    @property
    @abstractmethod
    def request(self) -> type[Any]:
        """Class of its requests, see `iface_wf.quantities.binding.request.Request`."""

    @abstractmethod
    def graph(self, request: Any, library: Library, here: bool = True) -> Graph:
        """Build what a request asks for, and say what is to be calculated.

        Parameters
        ----------
        request
            What is asked for.
        library
            Where names are looked up.
        here
            False when a queue on another machine will calculate: programs are not looked for on this one.

        Returns
        -------
        Graph
            With one item.

        Raises
        ------
        InputError
            For unknown names and unusable structures.
        """

    def graph_of_many(
        self, requests: Sequence[Any], library: Library, in_plane: Lengths | None = None, here: bool = True
    ) -> Graph:
        """Build what many requests ask for; one that cannot be built stops no other.

        Parameters
        ----------
        requests
            What is asked for; alike but for what is calculated.
        library, here
            As in `graph`.
        in_plane
            Smallest in-plane lengths of all slabs, A; by default as large as is needed.
        """
        from iface_wf.flows.graph import Graph

        graph = Graph()
        for request in requests:
            try:
                graph.merge(self.graph(request, library, here))
            except InputError as error:
                graph.refused.append((request.label, str(error)))
        return graph

    def rekeyer(self, store: JobStore, library: Library) -> Callable[[Any], Keyed]:
        """Return what gives a stored result the key of this version; by default it keeps the one that it has.

        Parameters
        ----------
        store
            Where the results and their calculations are.
        library
            Where names are looked up.

        Returns
        -------
        callable
            Takes a document; raises an InputError that says why a result has no key of today.
        """
        from iface_wf.store.migrate import Keyed

        return lambda document: Keyed(document.key)


def flow_kind(name: str) -> FlowKind:
    """Return a kind by its name; errors as of `iface_wf.documents.kinds.get_kind`."""
    return _calculated(get_kind(name))


def flow_kind_of(quantities: Sequence[str]) -> FlowKind:
    """Return the kind that has some quantities; errors as of `iface_wf.documents.kinds.kind_of_all`."""
    return _calculated(kind_of_all(quantities))


def _calculated(kind: ResultKind) -> FlowKind:
    if not isinstance(kind, FlowKind):
        raise IfaceError(f"Results of the kind {kind.name} can be read, but not calculated by this program.")
    return kind
