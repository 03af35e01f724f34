"""The store contract, its engines, the View and what is computed on it."""
