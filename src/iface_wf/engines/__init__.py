"""Codes that calculate: GPAW, VASP, xTB and ML potentials behind one protocol."""
