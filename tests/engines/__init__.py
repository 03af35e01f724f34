"""Graph engines for tests: found or started once per session, empty for each test."""
