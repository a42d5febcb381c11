"""What one incident runs by: its playbook, and what each phase may call. Fixed when the incident opens."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from agent.core.board import PhaseView
from agent.core.duty import Duty, duties
from agent.core.incident import Incident
from agent.core.skill.playbook import Phase, Playbook
from agent.core.words import Blast
from tools.contract import Effect
from tools.observed import ChangeKind


class Plan(BaseModel):
    """A playbook with its grants. Kept in the journal, so that a skill edited meanwhile changes the next incident."""

    model_config = ConfigDict(frozen=True)

    playbook: Playbook
    granted: dict[int, tuple[str, ...]]
    """Tools that a phase may call, by phase number."""
    duties: dict[int, frozenset[Duty]]
    texts: dict[str, str]
    """Skill name → markdown: what the planner is told of each invoked skill."""

    def phase(self, number: int) -> Phase:
        """The phase of that number. Raises LookupError if the playbook has none."""
        found = self.playbook.phase(number)
        if found is None:
            raise LookupError(f"{self.playbook.name} has no phase {number}")
        return found

    def view(self, number: int, incident: Incident) -> PhaseView:
        """The phase as a planner reads it, together with the phases that code concluded alone."""
        phase = self.phase(number)
        alone = [left.phase for left in incident.reports if left.by_code]
        return PhaseView(
            number=number,
            title=phase.title,
            qualifier=phase.qualifier,
            unclear=not phase.always,
            text=phase.text,
            modes=tuple(ChangeKind(option.mode) for option in phase.options if option.mode),
            concluded="\n".join(self.phase(one).text for one in alone),
        )

    def needs_planner(self, number: int, incident: Incident) -> bool:
        """Code concludes triage alone when users bleed everywhere, or nothing can be read: then turns are the cost."""
        if Duty.TRIAGE not in self.duties[number]:
            return True
        return incident.triage is not None and incident.triage.blast is not Blast.MANY


def plan(
    playbook: Playbook,
    granted: Mapping[int, frozenset[str]],
    texts: Mapping[str, str],
    effects: Mapping[str, Effect],
    *,
    shipping: bool,
) -> Plan:
    """The plan of an incident that is about to open."""
    return Plan(
        playbook=playbook,
        granted={number: tuple(sorted(names)) for number, names in granted.items()},
        duties={
            phase.number: duties(phase, granted.get(phase.number, frozenset()), effects, shipping=shipping)
            for phase in playbook.phases
        },
        texts=dict(texts),
    )
