"""Tests of the store, its engines and the View."""
