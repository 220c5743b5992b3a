"""iface-wf: interface DFT workflows, from names of fillers, polymers and salts to binding energies."""

from __future__ import annotations

__version__ = "0.1.0"
