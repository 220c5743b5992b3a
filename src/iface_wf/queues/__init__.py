"""Where flows run: this machine, or a queue."""
