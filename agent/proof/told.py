"""The proof, run and told: figures for scripts, words for people."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from agent.core.plan import Plan
from agent.proof.explore import Broken, Found, Tally, explore
from agent.proof.law import Law
from agent.proof.laws import LAWS
from agent.proof.premise import Given
from agent.proof.premises import premises

NEVER_FORBID: Final = frozenset({"G7", "end"})
"""Laws about what code does by itself: nothing asks the guard for leave to break them."""


@dataclass
class Proof:
    """What the whole of it came to."""

    premises: int = 0
    states: int = 0
    transitions: int = 0
    laws: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in (*LAWS, "end", "total")})
    verdicts: Counter[str] = field(default_factory=Counter[str])
    broken: list[Broken] = field(default_factory=list[Broken])

    @property
    def vacuous(self) -> tuple[str, ...]:
        """Laws that could not have failed: nothing they speak of was tried, or nothing they forbid."""
        return tuple(
            name
            for name, tally in self.laws.items()
            if tally.checked == 0 or (tally.forbidden == 0 and name in LAWS and name not in NEVER_FORBID)
        )

    @property
    def holds(self) -> bool:
        """Every law was put to the test, and none is broken."""
        return not self.broken and not self.vacuous

    def add(self, found: Found) -> None:
        """One more premise."""
        self.premises += 1
        self.states += found.points
        self.transitions += found.transitions
        self.verdicts += found.verdicts
        self.broken += found.broken
        self.laws["total"].checked += found.transitions
        for name, tally in found.laws.items():
            whole = self.laws.setdefault(name, Tally())
            whole.checked += tally.checked
            whole.forbidden += tally.forbidden


def prove(plan: Plan, heard: Callable[[Given, Found], None] | None = None, laws: Mapping[str, Law] = LAWS) -> Proof:
    """Every premise explored to its end, or to the first law that breaks; `heard` is told of each as it is done.

    `plan` is the playbook that is walked. The path to a violation is the shortest under its premise.
    """
    return proved(premises(plan), heard, laws)


def proved(
    given: Iterable[Given], heard: Callable[[Given, Found], None] | None = None, laws: Mapping[str, Law] = LAWS
) -> Proof:
    """The same of these premises, in this order."""
    proof = Proof()
    for each in given:
        found = explore(each, laws)
        proof.add(found)
        if heard:
            heard(each, found)
        if found.broken:
            break
    return proof


def as_json(proof: Proof) -> dict[str, JsonValue]:
    """The figures, for scripts."""
    ill = Counter(broken.law for broken in proof.broken)
    laws: dict[str, JsonValue] = {
        name: {"checked": tally.checked, "forbidden": tally.forbidden, "violations": ill[name]}
        for name, tally in proof.laws.items()
    }
    return {
        "premises": proof.premises,
        "states": proof.states,
        "transitions": proof.transitions,
        "fixpoint": not proof.broken,
        "violations": [{"law": one.law, "why": one.why, "path": [*one.path]} for one in proof.broken],
        "vacuous": [*proof.vacuous],
        "refused": {guard: proof.verdicts[guard] for guard in sorted(proof.verdicts)},
        "laws": laws,
    }


def path(broken: Broken) -> str:
    """The shortest way to a violation, a line a step."""
    steps = (f"  {n}. {words}" for n, words in enumerate(broken.path[1:], 1))
    return "\n".join([f"{broken.law} is broken: {broken.why}", f"  Given that {broken.path[0]}:", *steps])


def table(proof: Proof) -> str:
    """Every law: how often it was asked, how often what it forbids was tried and refused, and whether it holds."""
    ill = {broken.law for broken in proof.broken}
    rows = [
        f"{'law':8} {'asked':>9} {'refused':>9}",
        *(_row(name, proof.laws[name], ill, proof.vacuous) for name in proof.laws),
    ]
    return "\n".join(rows)


def _row(name: str, tally: Tally, ill: set[str], vacuous: Sequence[str]) -> str:
    how = "BROKEN" if name in ill else "NEVER TESTED" if name in vacuous else "holds"
    return f"{name:8} {tally.checked:9,} {tally.forbidden:9,}  {how}"
