"""Planted leaks: two different mistakes for each leak channel, and the probes that look for what no campaign asks."""

from tests.planted import asking, merging, outside, reading, sharing, showing
from tests.planted.plant import PLANTS, Detector, Plant

__all__ = ["PLANTS", "Detector", "Plant", "asking", "merging", "outside", "reading", "sharing", "showing"]

PLANTS.sort(key=lambda plant: plant.channel)
