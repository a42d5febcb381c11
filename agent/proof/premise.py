"""What is given before the first move and stays so: a production, a configuration, and which moves are in play."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from agent.core.facts import Opened
from agent.core.plan import Plan
from agent.proof.acts import Act, Call, Point
from agent.proof.truth import Fix
from agent.proof.worlds import World
from tools.observed import ChangeKind, Picture


class Given(NamedTuple):
    """One premise. Every premise is explored to its end; together they are the proof."""

    name: str
    world: World
    opened: Opened
    calls: tuple[Call, ...]
    moves: "tuple[Move, ...]"
    pictures: tuple[Picture, ...] = ()
    """What the tracker may show."""
    fixes: tuple[Fix, ...] = ()
    lost: bool = False
    """A rollback would cross what cannot be rolled back."""
    loops: bool = False
    """Whether it matters what was said before (a planner in a loop)."""
    paging: bool = False
    """Pages are moves of their own, and may reach nobody; else somebody is reached at once."""
    others: bool = False
    """Humans deploy too, so that whatever is read of production after the signal matters."""
    unopened: bool = False
    """No incident is open."""
    plan: Plan | None = None
    """The playbook, where phases matter."""

    def fix(self, tag: str) -> Fix | None:
        """The fix of that tag."""
        return next((fix for fix in self.fixes if fix.tag == tag), None)

    def leave(self, kind: ChangeKind) -> str:
        """What the configuration says of such a CHANGE: `auto`, `ask` or `never`."""
        policy = self.opened.policy
        words = {
            ChangeKind.ROLLBACK: policy.rollback,
            ChangeKind.HOTFIX: policy.hotfix,
            ChangeKind.RELEASE: policy.release,
        }
        return str(words[kind])


Move: TypeAlias = Callable[[Given, Point], Iterator[Act]]
"""Everything of one kind that can be tried at a point."""
