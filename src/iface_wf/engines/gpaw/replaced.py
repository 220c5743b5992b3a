"""Which of GPAW's methods this program replaces by faster ones of the same results, and in which versions.

Like `iface_wf.engines.gpaw.run` it runs inside `gpaw python`.
"""

from __future__ import annotations

import gpaw

from iface_wf.engines.gpaw.lcao_grid import use_matrix_products
from iface_wf.engines.gpaw.lcao_kpoints import use_larger_products
from iface_wf.engines.gpaw.poisson import use_whole_transforms
from iface_wf.engines.gpaw.spheres import use_all_directions
from iface_wf.engines.gpaw.vacuum import use_one_empty_point

#: Of GPAW, whose methods are replaced.
KNOWN = "26.7."


def replace_methods(mode: str) -> None:
    """Replace them in this process; a version of GPAW that is not known here is left alone.

    Parameters
    ----------
    mode
        Of the wave functions: what works with atom-centred functions is replaced for ``lcao`` only.
    """
    if not gpaw.__version__.startswith(KNOWN):
        return
    use_whole_transforms()
    use_one_empty_point()
    use_all_directions()
    if mode == "lcao":
        use_matrix_products()
        use_larger_products()
