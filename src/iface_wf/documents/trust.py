"""May a number be quoted: what converged, has an energy, and carries no flag that says otherwise."""

from __future__ import annotations

from collections.abc import Iterable

#: Flag of a result that a person does not believe; the reason follows in brackets.
REJECTED = "rejected"
#: Flag of a structure with a vibration that is imaginary by far: it is not where it would stay.
NOT_A_MINIMUM = "not_a_minimum"
#: Flags that make a number untrustworthy: results mark it and never average it in.
FATAL_FLAGS = frozenset(
    {
        "scf_unconverged",
        "implausible_forces",
        "geometry_unconverged",
        "isolated_atoms",
        "desorbed",
        "separated",
        "dissociated",
        "reacted",
        "clash",
        "slab_changed",
        "charged_cell",
        "charge_uncorrected",
        "ion_left_slab",
        NOT_A_MINIMUM,
        REJECTED,
    }
)


def is_trustworthy(converged: bool, energy: float | None, flags: Iterable[str]) -> bool:
    """Say whether a result may be quoted, ranked and averaged.

    Parameters
    ----------
    converged
        Whether all that it rests on converged.
    energy
        The number that it is about, eV; None where there is none.
    flags
        Its flags; what follows the first word of one is a remark, for example ``desorbed (relax AB)``.
    """
    return converged and energy is not None and not FATAL_FLAGS.intersection(flag.split(" ")[0] for flag in flags)
