"""Crystals, slabs, wires and stacks."""
