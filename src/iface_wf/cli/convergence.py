"""``iface-wf show ID --convergence`` and ``--log STEP``: how the calculations of a result went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iface_wf.cli.output import plain_table, print_json, say, stdout

if TYPE_CHECKING:
    import pandas as pd

#: Steps of a relaxation that are printed at its beginning and at its end.
_ENDS = 6


def print_convergence(identifier: str, store: str | None, json: bool) -> None:
    """Print how all calculations of a result converged, then each relaxation step by step."""
    from iface_wf.api.convergence import convergence

    table = convergence(identifier, store=store)
    if json:
        print_json({**table.attrs, "steps": table.to_dict("records")})
        return
    heads = ("SCF steps", "ionic steps", "max force / eV/A")
    shown = plain_table("step", "engine", "level", *heads, "converged", "corrections", "flags", right=heads)
    for each in table.attrs["calculations"]:
        if each["missing"]:
            shown.add_row(each["step"], each["missing"])
            continue
        force = "-" if each["max_force"] is None else f"{each['max_force']:.3f}"
        counts = ["-" if each[name] is None else str(each[name]) for name in ("scf_steps", "ionic_steps")]
        causes = "; ".join(error for correction in each["corrections"] or [] for error in correction["errors"])
        shown.add_row(each["step"], each["engine"], each["level"], *counts, force, "yes" if each["converged"] else "NO",
                      causes, ", ".join(each["flags"] or []))  # fmt: skip
    stdout().print(shown)
    for step, rows in table.groupby("step", sort=False):
        _print_steps(str(step), rows)
    if table.attrs["failure"]:
        say(f"It failed: {table.attrs['failure']}")


def _print_steps(step: str, rows: pd.DataFrame) -> None:
    searched = step.startswith("search")
    shown = plain_table(
        step,
        "lowest energy so far / eV" if searched else "energy / eV",
        *([] if searched else ["max force / eV/A"]),
        right=(step, "lowest energy so far / eV", "energy / eV", "max force / eV/A"),
    )
    kept = rows[rows["energy"].diff().ne(0)] if searched else rows  # of a search, who improved it
    cut = len(kept) > 2 * _ENDS
    for index, row in enumerate(kept.to_dict("records")):
        if cut and index == _ENDS:
            shown.add_row("...", "", *([] if searched else [""]))
        if cut and _ENDS <= index < len(kept) - _ENDS:
            continue
        force = "-" if row["max_force"] is None or row["max_force"] != row["max_force"] else f"{row['max_force']:.3f}"
        shown.add_row(str(row["number"]), f"{row['energy']:.4f}", *([] if searched else [force]))
    stdout().print(shown)


def print_log(identifier: str, step: str, lines: int, store: str | None, json: bool) -> None:
    """Print the end of the log of one step."""
    from iface_wf.api.convergence import log

    path, *text = log(identifier, step, lines=lines, store=store).split("\n")
    if json:
        print_json({"path": path, "lines": text})
        return
    say(path)
    for line in text:
        stdout().print(line, soft_wrap=True)
