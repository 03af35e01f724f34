"""Tests of the handbook: that its examples do what its pages say."""
