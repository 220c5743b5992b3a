"""Where results live and how they are found again."""
