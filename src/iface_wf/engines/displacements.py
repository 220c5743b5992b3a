"""ASE's finite displacements, saying how far they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ase import Atoms
from ase.vibrations import Vibrations

from iface_wf.analysis.grid import FloatArray


class TellingVibrations(Vibrations):
    """The same, saying how far it is."""

    def __init__(
        self, atoms: Atoms, indices: list[int], folder: Path, step: float, tell: Callable[[int], None]
    ) -> None:
        super().__init__(atoms, indices=indices, name=str(folder), delta=step, nfree=2)
        self._tell = tell

    def calculate(self, atoms: Atoms, disp: object) -> dict[str, FloatArray]:
        """Return the forces, eV/A."""
        self._tell(len(self.cache))  # the file of this one is there already, empty
        return super().calculate(atoms, disp)  # type: ignore[no-any-return]
