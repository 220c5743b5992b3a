"""Pure functions on numbers and grids: energies, densities, charges, potentials."""
