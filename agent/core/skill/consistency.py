"""What must hold between the parts of one skill."""

from collections.abc import Sequence

from agent.core.limits import MAX_TURNS
from agent.core.skill.complaints import Complaints
from agent.core.skill.conditions import phases_named
from agent.core.skill.markdown import Kind, Node
from agent.core.skill.playbook import Phase


def check_fences(blocks: Sequence[Node], complain: Complaints) -> None:
    """Every fence is closed: an open one swallows the rest of the file."""
    for node in blocks:
        if node.kind is Kind.FENCE and not node.closed:
            complain.at(node.line, "this fence is never closed", "end it with a line of the same marks")


def check_phases(phases: Sequence[Phase], complain: Complaints) -> None:
    """Phases count 1, 2, 3 …; nothing names a phase that is not there; options differ."""
    if len(phases) > MAX_TURNS:
        wrong = f"{len(phases)} phases, and an incident has {MAX_TURNS} model turns"
        complain.at(phases[MAX_TURNS].line, wrong, f"end at phase {MAX_TURNS}: make one of several")
        return
    for number, phase in enumerate(phases, start=1):
        if phase.number != number:
            wrong = f"phase {phase.number} stands where phase {number} should"
            complain.at(phase.line, wrong, "number the phases 1, 2, 3 … in the order they run")
    known = {phase.number for phase in phases}
    for phase in phases:
        _check_names(phase, known, complain)
        _check_options(phase, complain)


def _check_names(phase: Phase, known: set[int], complain: Complaints) -> None:
    there = f"name one of {', '.join(map(str, sorted(known)))}"
    for number in phases_named(phase.qualifier):
        what = f"the condition of phase {phase.number} names phase {number}"
        if number not in known:
            complain.at(phase.line, f"{what}, which does not exist", there)
        elif number >= phase.number:
            complain.at(phase.line, f"{what}, which has not run by then", "name an earlier phase")
    for route in phase.routes:
        for number in (*route.targets, *route.parallel):
            if number not in known:
                complain.at(route.line, f"the routing row leads to phase {number}, which does not exist", there)


def _check_options(phase: Phase, complain: Complaints) -> None:
    for at, option in enumerate(phase.options):
        if option.key in {earlier.key for earlier in phase.options[:at]}:
            complain.at(option.line, f"option {option.key} stands twice", "give each option its own letter")
