"""Small random worlds, twins of them that differ in hidden things alone, and what can be asked of both."""
