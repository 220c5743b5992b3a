"""Fragments: oligomers, molecules, ions and complexes of them."""
