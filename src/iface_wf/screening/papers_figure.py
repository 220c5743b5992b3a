"""Published numbers beside ours, as what a figure is drawn of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from iface_wf.reports.names import quantity_label
from iface_wf.reports.published import Panel, Published
from iface_wf.screening.papers import Paper, column_of, request_of
from iface_wf.screening.papers_outcomes import Outcome


def panels(papers: Mapping[str, Paper], found: Mapping[str, Sequence[Outcome]]) -> Iterator[Panel]:
    """Return a panel for each paper and kind of result.

    Parameters
    ----------
    papers
        By name.
    found
        Their outcomes, by the same names.
    """
    for name, paper in papers.items():
        by_kind: dict[str, list[Published]] = {}
        for outcome in found[name]:
            by_kind.setdefault(_label(paper, outcome), []).append(_number(outcome))
        title = f"{paper.title}{f', {paper.doi}' if paper.doi else ''}"
        yield from (Panel(title, label, numbers) for label, numbers in by_kind.items())


def _label(paper: Paper, outcome: Outcome) -> str:
    """Name the axis of an outcome: its quantity with unit and sign."""
    quantity = outcome.quantity
    if quantity.request is None:
        return f"{'difference' if quantity.difference else 'volume ratio'} ({outcome.unit})"
    return quantity_label(column_of(quantity, request_of(paper, quantity)), sign=True)


def _number(outcome: Outcome) -> Published:
    quantity, document = outcome.quantity, outcome.document
    problem = outcome.problem
    if document is not None and outcome.number is None:
        problem = "no number: not converged"
    return Published(
        quantity.name, quantity.published, outcome.number, outcome.uncertainty, outcome.trustworthy, problem
    )
