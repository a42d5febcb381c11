"""Calls that somebody may propose, and what the guard says of them after any legal story."""

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from agent.core.facts import Recorded
from agent.core.fold import fold
from agent.core.guard import Permit, Proposal, Verdict, judge
from agent.core.words import By
from tests.core import worlds
from tests.core.worlds import MINUTE, NOON, stories
from tools.adr import PostMortem
from tools.chat import Update as ChatUpdate
from tools.contract import Args, Effect
from tools.deploy import Hotfix, Nothing, Release, Rollback
from tools.observed import Change, ChangeKind
from tools.page import Page
from tools.ticket import Update as TicketUpdate

Judged = tuple[Sequence[Recorded], Proposal, Verdict]


class Loose(Rollback):
    """A CHANGE that a tool let carry more than a release."""

    extra: tuple[str, ...] = ()


def change(kind: ChangeKind, to: str = "v1.7.0", by: By = By.PLANNER, *extra: str) -> Proposal:
    args: dict[ChangeKind, Change] = {
        ChangeKind.ROLLBACK: Loose(to=to, extra=extra) if extra else Rollback(to=to),
        ChangeKind.HOTFIX: Hotfix(to=to, fixes=worlds.CULPRIT),
        ChangeKind.RELEASE: Release(to=to),
    }
    return Proposal(f"deploy_{kind}", Effect.CHANGE, args[kind], worlds.key(kind, to), by)


def post_mortem(**says: object) -> PostMortem:
    return PostMortem.model_validate(
        {
            "title": "t", "root_cause": "r", "cause_level": "proven", "timeline": [{"at": NOON, "what": "w"}],
            "why_not_caught_earlier": "w", "why_slipped_through": "w", "actions": {}, "revisit_when": "w",
            "evidence": ["E2"], "culprit": worlds.CULPRIT, **says,
        }
    )  # fmt: skip


def plain(effect: Effect, args: Args, by: By = By.PLANNER) -> Proposal:
    return Proposal("tool", effect, args, "shop-1:tool", by)


PERSONS: Final = st.sampled_from(By)
LIKELY: Final = [(ChangeKind.ROLLBACK, "v1.7.0"), (ChangeKind.HOTFIX, "v1.9.0"), (ChangeKind.RELEASE, "v1.9.0")]
CHANGES: Final = st.sampled_from([change(kind, to) for kind, to in LIKELY]) | st.builds(
    change, worlds.KINDS, worlds.TAGS, PERSONS
)
SAID: Final[st.SearchStrategy[Args]] = st.sampled_from(
    [Nothing(), post_mortem(), TicketUpdate(body="b", done=True), ChatUpdate(text="t", resolved=True)]
)
PROPOSALS: Final = CHANGES | st.builds(
    plain,
    st.sampled_from(Effect),
    SAID | st.builds(Page, reason=st.sampled_from(["other", "rollback_failed"]), summary=st.just("s")),
    PERSONS,
)


@st.composite
def judged(draw: st.DrawFn, proposals: st.SearchStrategy[Proposal] = PROPOSALS) -> Judged:
    told, proposal = draw(stories()), draw(proposals)
    later = draw(st.sampled_from([0, 1, 30, 30, 300]))
    return told, proposal, judge(fold(told), proposal, told[-1].at + later * MINUTE)


def permitted_change(one: Judged) -> Change | None:
    """The CHANGE that was permitted, if one was."""
    _, proposal, verdict = one
    return proposal.args if isinstance(verdict, Permit) and isinstance(proposal.args, Change) else None
