"""Many interfaces at once: every part calculated once, every failure kept apart."""
