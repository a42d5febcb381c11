"""What a phase is for, told from the tools that the skill grants it; code sees to these duties itself."""

from collections.abc import Mapping
from enum import StrEnum

from agent.core.skill.playbook import Phase
from tools.contract import Effect


class Duty(StrEnum):
    """Something code does in a phase, whatever the planner does."""

    TRIAGE = "triage"
    """Read the tracker, the deploys, the endpoints and memory, and conclude the blast radius."""
    STANCH = "stanch"
    """Have what a rollback needs at hand; never leave in silence."""
    ROOT_CAUSE = "root_cause"
    """Raise the cause to what the evidence proves."""
    COORDINATE = "coordinate"
    """Open the ticket and the post if nobody did."""
    VERIFY = "verify"
    """Wait, read the signal again, probe."""
    POST_MORTEM = "post_mortem"
    """Write the ADR if it may be written."""
    REMEMBER = "remember"
    """Keep the outcome for the next incident."""
    WATCH = "watch"
    """After a release: look for its new issues."""


def duties(phase: Phase, granted: frozenset[str], effects: Mapping[str, Effect], *, shipping: bool) -> frozenset[Duty]:
    """The duties of a phase that grants these tools. `effects` is what each known tool can do."""
    tracker = "sentry_picture" in granted
    found = {
        Duty.TRIAGE: tracker and not phase.wait and not shipping,
        Duty.VERIFY: tracker and phase.wait is not None and not shipping,
        Duty.WATCH: tracker and phase.wait is not None and shipping,
        Duty.STANCH: any(effects.get(name, Effect.READ) >= Effect.CHANGE for name in granted) and not shipping,
        Duty.ROOT_CAUSE: "git_bisect" in granted,
        Duty.COORDINATE: "ticket_open" in granted or "chat_post" in granted,
        Duty.POST_MORTEM: "adr_write" in granted,
        Duty.REMEMBER: "memory_remember" in granted,
    }
    return frozenset(duty for duty, due in found.items() if due)
