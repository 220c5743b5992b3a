"""How much a search may cost, by level."""

from __future__ import annotations

from dataclasses import dataclass, replace

from iface_wf.errors import unknown_name


@dataclass(frozen=True)
class Budget:
    """What a search may spend.

    Attributes
    ----------
    steps
        Steps of relaxation of interfaces by the cheap engine, all candidates together.
    patience
        The search ends when so many candidates in a row were no better.
    """

    steps: int
    patience: int

    def deciding(self, placements: int) -> tuple[int, int, int] | None:
        """Return what of a search decides a result's key; None where nothing is searched."""
        return (VERSION, self.steps, self.patience) if placements > 1 and self.steps > 0 else None


#: Raised by hand when results of searches before would be wrong; not where searches have become better, because a stored result with a higher
#: minimum stays right in what it says.
VERSION = 1
#: The same of molecules alone, raised when they become better, too: it is no part of the keys of results.
ALONE_VERSION = 2
#: Most steps of a search.
MOST_STEPS = 1_000_000
#: By level. An interface of 70 atoms takes GFN1-xTB about a second for a step on one core.
LEVELS = {"fast": Budget(100, 16), "moderate": Budget(500, 24), "precise": Budget(2000, 48)}
#: A step of the molecule alone costs a small part of one of the interface, so its search may take so many times more steps.
MOLECULE = 5


def budget_of(level: str, steps: int | None) -> Budget:
    """Return the budget of a level, with another number of steps if one is given."""
    if level not in LEVELS:
        raise unknown_name("level", level, LEVELS)
    return LEVELS[level] if steps is None else replace(LEVELS[level], steps=steps)
