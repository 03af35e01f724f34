"""Benchmarks: each prints figures and ratios against a named peer or floor of the same run, and ends with its goals."""
