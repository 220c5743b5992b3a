"""Where a fragment may lie on a slab: conformers, moves, and a force field that orders them before an engine sees them."""
