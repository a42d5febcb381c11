"""The house's plan for production, as `stanch prove` walks it."""

from agent.core.plan import Plan
from agent.surface.prove import walked


def house() -> Plan:
    return walked(None)
