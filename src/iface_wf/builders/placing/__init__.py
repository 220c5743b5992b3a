"""Putting a fragment on a slab."""
