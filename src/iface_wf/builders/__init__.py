"""Structures: slabs and wires, oligomers and salts, and the interfaces made of them."""
