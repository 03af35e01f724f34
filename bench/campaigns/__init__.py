"""Campaigns: laws tried on as many cases as the command line asks for, each reproducible from its seed."""
