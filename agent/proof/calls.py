"""What anybody may propose: every class of call, with every class of arguments that a guard tells apart."""

from typing import ClassVar, Final, TypedDict, Unpack

from agent.core.proposal import Proposal
from agent.core.words import By
from agent.proof.acts import Call
from tools.contract import Args, Effect
from tools.observed import Change, ChangeKind, Declares, Stated

LOOSE: Final = ("--admin", "--force", "--no-verify", "--skip-health", "--no-health", "--skip-check", "--no-check")
"""What would loosen a deploy."""


class Rollback(Change):
    """Put an earlier release back."""

    change: ClassVar[ChangeKind] = ChangeKind.ROLLBACK
    flag: str = ""


class Hotfix(Change):
    """Ship a prepared fix."""

    change: ClassVar[ChangeKind] = ChangeKind.HOTFIX


class Release(Change):
    """Ship a new release."""

    change: ClassVar[ChangeKind] = ChangeKind.RELEASE


class Opaque(Args):
    """Arguments that do not say what they are about."""


class Says(TypedDict, total=False):
    """What a post-mortem may say beside whom it blames."""

    level: str
    cites: tuple[str, ...]


class Tells(Declares):
    """Words for people."""

    level: str = ""
    culprit: str = ""
    cites: tuple[str, ...] = ()
    over: bool = False
    allowed: tuple[str, ...] | None = None

    @property
    def cause(self) -> Stated | None:
        """As said."""
        return Stated(self.level, self.culprit or None, self.cites) if self.level else None

    @property
    def declares_resolved(self) -> bool:
        """As said."""
        return self.over

    @property
    def leave(self) -> tuple[str, ...] | None:
        """As said."""
        return self.allowed


class Page(Args):
    """A page, for a reason, or a question."""

    reason: str
    about: str = ""

    @property
    def once(self) -> str:
        """What may page once."""
        return called(self.reason, self.about)


class Prepare(Args):
    """A hotfix to prepare."""

    tag: str


def _call(tool: str, effect: Effect, args: Args, about: str, by: By) -> Call:
    proposal = Proposal(tool, effect, args, f"shop-1:{tool}:{about}", by)
    return Call(proposal, proposal.call, f"{tool} {about}".strip(), args if isinstance(args, Change) else None)


def rollback(to: str, by: By = By.PLANNER, flag: str = "") -> Call:
    """Put `to` back."""
    found = _call("deploy_rollback", Effect.CHANGE, Rollback(to=to, flag=flag), f"rollback:{to}", by)
    return found._replace(words=f"a rollback to {to}{f' with {flag}' if flag else ''}")


def for_good(to: str, by: By = By.PLANNER) -> Call:
    """Put `to` back with a tool that cannot undo it."""
    found = _call("deploy_for_good", Effect.IRREVERSIBLE, Rollback(to=to), f"rollback:{to}", by)
    return found._replace(words=f"a rollback to {to} for good")


def hotfix(tag: str, by: By = By.PLANNER) -> Call:
    """Ship the fix `tag`."""
    return _call("deploy_hotfix", Effect.CHANGE, Hotfix(to=tag), f"hotfix:{tag}", by)._replace(words=f"hotfix {tag}")


def release(tag: str, by: By = By.PLANNER) -> Call:
    """Ship the release `tag`."""
    found = _call("deploy_release", Effect.CHANGE, Release(to=tag), f"release:{tag}", by)
    return found._replace(words=f"the release of {tag}")


def opaque(effect: Effect, by: By = By.PLANNER) -> Call:
    """Something that does not say what it is about."""
    found = _call("drop_table", effect, Opaque(), "orders", by)
    return found._replace(words=f"a {effect.name.lower()} that does not say what it changes")


def prepare(tag: str, by: By = By.PLANNER) -> Call:
    """Prepare the fix `tag`."""
    return _call("hotfix_prepare", Effect.NOTE, Prepare(tag=tag), tag, by)._replace(words=f"to prepare hotfix {tag}")


def post_mortem(
    culprit: str = "", by: By = By.PLANNER, allowed: tuple[str, ...] | None = None, **says: Unpack[Says]
) -> Call:
    """The ADR, with a root cause in it: a proven one when it blames a commit, a confirmed one when it blames none."""
    level, cites = says.get("level", "proven" if culprit else "confirmed"), says.get("cites", ())
    args = Tells(level=level, culprit=culprit, cites=cites, allowed=allowed)
    blames = f" that blames {culprit[:7]}" if culprit else ""
    more = [f" that says {', '.join(allowed)}"] if allowed else []
    more += [f" by evidence {', '.join(cites)}"] if cites else []
    words = f"a post-mortem of a {level} cause{blames}{''.join(more)}"
    return _call("adr_write", Effect.NOTE, args, "", by)._replace(words=words)


def note(by: By = By.PLANNER) -> Call:
    """A ticket about what happened so far."""
    return _call("ticket_open", Effect.NOTE, Tells(), "", by)._replace(words="a ticket")


def all_clear(by: By = By.PLANNER) -> Call:
    """A ticket set to done."""
    return _call("ticket_update", Effect.NOTE, Tells(over=True), "", by)._replace(words="to set the ticket to done")


def called(reason: str, about: str) -> str:
    """A reason, or a question, in words: what pages once."""
    return f"{reason} about {about}" if about else reason


def page(reason: str, by: By = By.PLANNER, about: str = "") -> Call:
    """A page."""
    found = _call("page_humans", Effect.PAGE, Page(reason=reason, about=about), called(reason, about), by)
    return found._replace(words=f"a page for {called(reason, about)}")


def look(tool: str = "deploy_status", by: By = By.PLANNER) -> Call:
    """A reading."""
    return _call(tool, Effect.READ, Opaque(), "", by)._replace(words=f"to read {tool}")
