"""`iface_wf.screen`: every filler with every polymer, molecule and salt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, overload

from iface_wf.api.notebook import screening_listener
from iface_wf.api.options import Store, check_types, opened, work_folder
from iface_wf.errors import InputError, validate
from iface_wf.library import Library
from iface_wf.screening.events import ScreeningEvent
from iface_wf.screening.plan import Stage, plan_screening
from iface_wf.screening.run import Outcome, run_screening
from iface_wf.screening.share import read_share
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.spec_file import MANY_PAIRS, check_names, read_spec

Spec = str | Path | Mapping[str, Any] | ScreeningSpec


@overload
def screen(
    spec: Spec,
    *,
    store: Store | None = None,
    workdir: str | Path | None = None,
    library: Library | None = None,
    retry: bool = False,
    part: tuple[int, int] | None = None,
    yes: bool = False,
    dry_run: Literal[False] = False,
    on_event: Callable[[ScreeningEvent], None] | None = None,
) -> Outcome: ...
@overload
def screen(
    spec: Spec,
    *,
    dry_run: Literal[True],
    store: Store | None = None,
    library: Library | None = None,
    part: tuple[int, int] | None = None,
    yes: bool = False,
) -> list[Stage]: ...
def screen(
    spec: Spec,
    *,
    store: Store | None = None,
    workdir: str | Path | None = None,
    library: Library | None = None,
    retry: bool = False,
    part: tuple[int, int] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    on_event: Callable[[ScreeningEvent], None] | None = None,
) -> Outcome | list[Stage]:
    """Calculate all interfaces of a screening that are not stored yet; parts that they share once.

    One that fails stops no other. Interrupt it at any time and call it again: what is finished is not repeated. Call it in
    several processes with one store, and they share the work.

    Parameters
    ----------
    spec
        YAML file, or what it says as a mapping, see `iface_wf.screening.spec.ScreeningSpec`. Paths of structures begin at
        the folder of the file; in a mapping, at the current one.
    store, workdir, library
        As in `iface_wf.run`.
    retry
        Also try again what has failed twice.
    part
        Only the share ``(number, count)`` of the interfaces, numbers from 1: for jobs that divide a screening between them.
    yes
        Accept more than 10,000 interfaces.
    dry_run
        Only count the calculations that would be needed; run nothing.
    on_event
        Is told about every change; by default a bar in a notebook, and nobody elsewhere.

    Returns
    -------
    Outcome
        Keys of the interfaces that are ``finished``, for `iface_wf.show` and `iface_wf.results`, and cause by name of those
        that ``failed``. With ``dry_run`` a list of stages, each with the counts of calculations and an estimate of the
        core-hours.

    Raises
    ------
    InputError
        For a spec that is wrong, naming the line of the file, for unknown names, and when not a single interface can be
        built.
    CalculationError
        When the cheap engine of a funnel ranked no interface.

    Examples
    --------
    >>> import iface_wf
    >>> spec = {"fillers": [{"name": "LiI", "thickness": 3.0}], "molecules": ["O"], "engine": "mlip", "placements": 1}
    >>> spec["quantities"] = ["binding_energy"]
    >>> (stage,) = iface_wf.screen(spec, dry_run=True)
    >>> stage.pairs, stage.counts["references"]
    (1, 2)
    >>> outcome = iface_wf.screen(spec)
    >>> len(outcome.finished), outcome.failed
    (1, {})
    >>> iface_wf.results(filler="LiI")[["polymer", "trustworthy"]].values.tolist()
    [['O', True]]
    """
    if not isinstance(spec, ScreeningSpec):
        check_types(spec=spec)
    check_types(store=store, workdir=workdir, library=library, retry=retry, yes=yes, dry_run=dry_run, on_event=on_event)
    library = library or Library()
    checked = checked_spec(spec, library, yes)
    share = (
        None if part is None else read_share("/".join(map(str, part)) if isinstance(part, list | tuple) else repr(part))
    )
    if dry_run:
        return plan_screening(checked, opened(store), library, share)
    listener = screening_listener(on_event)
    return run_screening(checked, opened(store), library, work_folder(workdir), listener, retry=retry, share=share)


def checked_spec(spec: Spec, library: Library, yes: bool = False) -> ScreeningSpec:
    """Read and check a screening in any of the forms that `screen` takes; parameters and errors as there."""
    if isinstance(spec, str | Path):
        found = read_spec(Path(spec), many=yes, library=library)
        check_names(Path(spec), found, library)
        return found
    found = spec if isinstance(spec, ScreeningSpec) else validate(dict(spec), ScreeningSpec, "The screening")
    if found.n_pairs > MANY_PAIRS and not yes:
        raise InputError(
            f"The screening has {found.n_pairs:,} interfaces, more than {MANY_PAIRS:,}; say yes=True if that is meant."
        )
    return found
