"""Kinds of results, a folder each: request, maker, document, columns, page; a registry tells the rest about them."""
