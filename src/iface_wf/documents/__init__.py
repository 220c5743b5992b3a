"""What is stored, with units, sign and provenance."""
