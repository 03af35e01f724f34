"""Oracles: other ways to decide what the policy says, each made from the file alone, to compare our compiler with."""
