"""How many atoms of each element an ordered cell holds: whole, nearest to what is wanted, neutral by formal charges."""

from __future__ import annotations

import itertools
import math

from iface_wf.errors import InputError

SLACK = 0.05
"""Share by which amounts may differ from the wanted ones where rounding up or down alone makes no cell neutral."""
MAX_CHOICES = 300_000
Sums = list[tuple[set[str], int, bool]]


def whole_numbers(
    wanted: dict[str, float], fixed_charge: float, charges: dict[str, float], sums: Sums, slack: float = 0.0
) -> dict[str, int]:
    """Choose whole numbers of atoms nearest to the wanted ones (least squares) that make the cell neutral.

    Parameters
    ----------
    wanted
        Wanted number of atoms on the disordered sites, by element.
    fixed_charge
        Charge in e of all fully occupied sites.
    charges
        Formal charges in e.
    sums
        (elements, number of sites, may be vacant) of each class of sites.
    slack
        Share by which an amount may differ beyond rounding it up or down.

    Raises
    ------
    InputError
        If no choice is neutral.
    """
    best: tuple[float, dict[str, int]] | None = None
    for choice in _choices(wanted, sums, slack):
        if abs(charge_of(choice, fixed_charge, charges)) > 1e-6:
            continue
        error = sum((choice[e] - wanted[e]) ** 2 for e in wanted)
        if best is None or error < best[0] - 1e-9:
            best = (error, choice)
    if best is None:
        asked = ", ".join(f"{e} {wanted[e]:.2f}" for e in sorted(wanted))
        sum_of = fixed_charge + sum(charges[e] * n for e, n in wanted.items())
        raise InputError(
            f"No rounding of {asked} to whole atoms makes the cell neutral: its formal charges add up to {sum_of:+.2f} e."
        )
    return best[1]


def nearest_numbers(
    wanted: dict[str, float], fixed_charge: float, charges: dict[str, float], sums: Sums
) -> dict[str, int]:
    """Choose the whole numbers nearest to the wanted ones where no choice is neutral.

    Of equally near ones that which keeps most elements is taken, then that of the smallest charge.

    Parameters as in `whole_numbers`.

    Raises
    ------
    InputError
        If the atoms do not fit the sites.
    """
    choices = list(_choices(wanted, sums, 0.0))
    if not choices:
        asked = ", ".join(f"{e} {wanted[e]:.2f}" for e in sorted(wanted))
        raise InputError(f"No rounding of {asked} to whole atoms fits the sites.")

    def rank(choice: dict[str, int]) -> tuple[float, int, float]:
        error = sum((choice[e] - wanted[e]) ** 2 for e in wanted)
        return round(error, 9), list(choice.values()).count(0), abs(charge_of(choice, fixed_charge, charges))

    return min(choices, key=rank)


def charge_of(choice: dict[str, int], fixed_charge: float, charges: dict[str, float]) -> float:
    """Charge (e) of a cell with these atoms on its disordered sites."""
    return fixed_charge + sum(charges[e] * n for e, n in choice.items())


def _choices(wanted: dict[str, float], sums: Sums, slack: float) -> itertools.chain[dict[str, int]]:
    """Give all choices of whole numbers that fit the classes of sites."""
    elements = sorted(wanted)
    ranges = []
    for e in elements:
        low = min(math.floor(wanted[e] + 1e-6), math.ceil(wanted[e] * (1 - slack) - 1e-6))
        high = max(math.ceil(wanted[e] - 1e-6), math.floor(wanted[e] * (1 + slack) + 1e-6))
        ranges.append(range(max(0, low), high + 1))
    if math.prod(map(len, ranges)) > MAX_CHOICES:
        return itertools.chain()
    every = (dict(zip(elements, numbers, strict=True)) for numbers in itertools.product(*ranges))
    return itertools.chain(choice for choice in every if _fits(choice, sums))


def _fits(choice: dict[str, int], sums: Sums) -> bool:
    totals = [(sum(choice[e] for e in kinds), count, vacant) for kinds, count, vacant in sums]
    return all(total <= count and (vacant or total == count) for total, count, vacant in totals)
