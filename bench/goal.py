"""Goals: the last lines of every benchmark and campaign, one for each figure that was promised."""

import operator

_COMPARE = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}


def print_goal(name: str, measured: float, comparison: str, goal: float) -> bool:
    """Print ``GOAL name measured=1.23 goal<=3.0 met`` (or ``missed``) and return whether it is met."""
    is_met = bool(_COMPARE[comparison](measured, goal))
    print(f"GOAL {name} measured={measured:g} goal{comparison}{goal:g} {'met' if is_met else 'missed'}")
    return is_met
