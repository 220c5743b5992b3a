"""The page of published numbers beside ours, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from iface_wf.reports.names import method_name
from iface_wf.screening.papers import Paper
from iface_wf.screening.papers_outcomes import Outcome, verdict

#: First line of the page: a file that begins with it may be written again.
MARK = "<!-- written by: iface-wf papers --out -->"
_HEAD = f"""{MARK}
# {{title}}

Numbers that were published, beside what this program gives for them, eV where no other unit is said. `iface-wf papers` computes what is missing and writes this page
(`--out docs/papers.md`); the files lie in `workflows/papers/`. Where a small molecule stands for a polymer, the column *model* says so, and then only
trends can be compared. An uncertainty does not cover what a model leaves out. What is not computed is said to be so.
"""


def page(papers: Mapping[str, Paper], found: Mapping[str, Sequence[Outcome]]) -> str:
    """Return the page.

    Parameters
    ----------
    papers
        By name.
    found
        Their outcomes, by the same names.
    """
    several = "Five papers, computed" if len(papers) == 5 else f"{len(papers)} papers, computed"
    title = several if len(papers) > 1 else "One paper, computed"
    return "\n".join([_HEAD.format(title=title), *(_paper(name, paper, found[name]) for name, paper in papers.items())])


def cells(outcome: Outcome) -> tuple[str, str, str, str, str]:
    """Return quantity, our value, published value, model and method of one number, as text."""
    quantity, document = outcome.quantity, outcome.document
    model = "; ".join(filter(None, (quantity.model, quantity.remark)))
    unit = "" if outcome.unit == "eV" else f" {outcome.unit}"
    published = "not given as a number" if quantity.published is None else f"{_number(quantity.published, unit)}{unit}"
    if outcome.number is None and document is None:
        return quantity.name, outcome.problem or "not computed", published, model, ""
    ours = "-" if outcome.number is None else f"{_number(outcome.number, unit)}"
    if outcome.number is not None and outcome.uncertainty is not None:
        ours += f" +- {outcome.uncertainty:.2f}"
    ours += unit if outcome.number is not None else ""
    if not outcome.trustworthy:
        why = outcome.doubt or ", ".join(getattr(document, "flags", [])) or "not converged"
        ours += f" NOT TRUSTWORTHY ({why})"
    if document is None:
        return quantity.name, ours, published, model, outcome.made_of
    donors = getattr(document, "donors", "")
    held = f"Li+ held by {donors}" if donors else ""
    # of results that may not be quoted they stand beside the number
    told = [
        f"{flag}, which is meant: {quantity.meant[flag]}" if flag in quantity.meant else flag for flag in document.flags
    ]
    flags = f"flags: {', '.join(told)}" if outcome.trustworthy and told else ""
    model = "; ".join(filter(None, (model, held, flags)))
    return quantity.name, ours, published, model, f"{method_name(document)}, {document.key[:8]}"


def _number(value: float, unit: str) -> str:
    return f"{value:.0f}" if unit == " %" else f"{value:+.4f}" if unit == " e" else f"{value:+.2f}"


def _paper(name: str, paper: Paper, found: Sequence[Outcome]) -> str:
    source = f"[{paper.doi}](https://doi.org/{paper.doi}), " if paper.doi else ""
    lines = [f"## {_safe(paper.title)}", "", f"{source}`{name}.yaml`. {_safe(paper.note)}".rstrip(), ""]
    if found:
        lines += _table(("quantity", "ours", "published", "model", "method, result"), map(cells, found))
    by_name = {outcome.quantity.name: outcome for outcome in found}
    told = [(trend.says, *verdict(trend, by_name), trend.remark) for trend in paper.trends]
    if told:
        lines += _table(("published trend", "here", "by", "remark"), told)
    if paper.not_computed:
        rows = [(each.name, each.published or "", each.why) for each in paper.not_computed]
        lines += _table(("not computed", "published", "why"), rows)
    return "\n".join(lines)


def _safe(text: str) -> str:
    """Return text from a file so that nothing of it ends a cell or begins a tag, a link or a style."""
    plain = " ".join(text.split()).replace("\\", "\\\\").replace("<", "&lt;")
    return re.sub(r"([|*_`\[\]])", r"\\\1", plain)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(_safe(cell) for cell in row)} |" for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]
