"""Typed clients that others generate from the committed schemata."""
