"""Published numbers beside ours, as what a figure is drawn of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from iface_wf.documents.kinds import kind_of_all
from iface_wf.reports.names import quantity_label
from iface_wf.reports.published import Panel, Published
from iface_wf.screening.papers import Outcome, Paper


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
    if outcome.quantity.request is None:
        return f"volume ratio ({outcome.unit})"
    kind = kind_of_all(list((paper.options | outcome.quantity.request)["quantities"]))
    headline = next(column for column in kind.columns if column.name == kind.headline)
    return quantity_label(headline, sign=True)


def _number(outcome: Outcome) -> Published:
    quantity, document = outcome.quantity, outcome.document
    if outcome.volumes is not None:
        return Published(quantity.name, quantity.published, outcome.value)
    if document is None:
        return Published(quantity.name, quantity.published, None, problem=outcome.problem)
    return Published(
        quantity.name,
        quantity.published,
        document.number,
        document.uncertainty,
        document.trustworthy,
        "" if document.number is not None else "no number: not converged",
    )
