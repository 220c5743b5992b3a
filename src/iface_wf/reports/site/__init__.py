"""A whole screening as static pages that open from disk: a table of results, and a page for each."""
