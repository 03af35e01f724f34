"""Observer: who asks, and with what rights."""

from dataclasses import dataclass

SYSTEM_TIER = "system"


@dataclass(frozen=True, slots=True)
class Observer:
    """Who asks: a person of an organisation, in a tier, for a purpose.

    Rights are these and no others; they come from the store, never from a token.
    `orders` names cases that a judicial order opens to them further.
    """

    name: str
    organisation: str
    tier: str
    cases: tuple[str, ...] = ()
    compartments: tuple[str, ...] = ()
    purpose: str = "investigation"
    orders: tuple[str, ...] = ()


# Resolution and the evaluation of watches read everything; nobody can be added in this tier.
SYSTEM = Observer(name="system", organisation="", tier=SYSTEM_TIER)
