"""The rows of `docs/performance.md`: one script each."""
