"""The garbage collector, set for serving."""

import gc

# Answers of thousands of objects would else be gone through again and again while they are made.
_THRESHOLDS = (100_000, 50, 1_000)


def settle() -> None:
    """Keep what is loaded by now out of the collector's way, and let it run seldom; called once, before serving."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
