"""Flows that wire building, calculating and analysing."""
