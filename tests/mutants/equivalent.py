"""Mutants of which a reader must say what their place does not show. An entry without its mutant is stale."""

from typing import NamedTuple


class Same(NamedTuple):
    """One mutant, and what to know of it."""

    file: str
    text: str
    """The line, without its indent."""
    was: str
    now: str
    why: str


SAME: tuple[Same, ...] = ()
"""They change nothing that anybody could see; one that a test notices is stale."""

CHANGES, CLOSURE, INCIDENT = (f"agent/core/{name}.py" for name in ("changes", "closure", "incident"))
_LAST = "last = max((one.n for one in incident.said if (one.call, one.by) == asked), default=None)"
_FAILED = "return any(change.kind is ChangeKind.ROLLBACK and change.outcome in bad for change in self.changes)"
_ANY = _FAILED.removeprefix("return ")
_CLEAN = 'Ending(State.RESOLVED, f"{release} runs, and the watch saw no new issue")'
_READ = "return verified.read and verified.final and at - made.at >= MIN_VERIFY_WAIT"
_STRANGE = '"what runs is not in the deploy history, so no release is known to be older"'
_OTHER = "if made.key != called.key or made.outcome not in {Outcome.PENDING, Outcome.OK}:"
_UNKNOWN = '["the tracker knows no traffic from before the incident, so silence proves nothing"]'
_DEAD = "dead = [f\"{answer.endpoint} ({answer.status or 'no answer'})\" for answer in answers if not answer.ok]"
NO_LESS: tuple[Same, ...] = (
    Same(
        "agent/core/guard.py", _LAST, "(one.call, one.by) == asked", "True",
        "any call made since the last news would count as this one",
    ),
    Same(
        CHANGES, "others = [made for made in incident.changes if made.key != key]",
        "made.key != key", "True", "a CHANGE would be held up by itself: one more among those that hold it up",
    ),
    Same(
        CHANGES, "return _triaged(incident) or _hotfix(incident, change, key)", "_triaged(incident)", "None",
        "a hotfix needs a limited blast radius, which nothing but triage finds",
    ),
    Same(
        CHANGES, "if change.change is not ChangeKind.ROLLBACK:", "change.change is not ChangeKind.ROLLBACK", "False",
        "what was read for a rollback would be held against others too",
    ),
    Same(
        CHANGES, "if change.change is not ChangeKind.HOTFIX:", "change.change is not ChangeKind.HOTFIX",
        "False", "what was prepared for a hotfix would be held against others too",
    ),
    Same(INCIDENT, _FAILED, _ANY, "True", "nothing would ever be changed"),
    Same(INCIDENT, _FAILED, "change.kind is ChangeKind.ROLLBACK", "True", "any failed CHANGE would count"),
    Same(INCIDENT, _FAILED, "change.outcome in bad", "True", "any rollback would count as failed"),
    Same(CLOSURE, f"return {_CLEAN}", _CLEAN, "None", "a release would need a reading as well"),
    Same(
        "agent/core/releases.py", "if release == deployments.current:", "release == deployments.current", "False",
        "the running release is not older than itself, which it must be two lines below",
    ),
    Same(
        "agent/core/releases.py", f"return {_STRANGE}", _STRANGE, "None",
        "`chosen` finds no release then; this only says why not the one that was wanted",
    ),
    Same(
        "agent/core/policy.py", "words = [self.irreversible] if effect is Effect.IRREVERSIBLE else []",
        "[self.irreversible]", "[]", "the guard asks for whatever cannot be undone, and `missing` heeds a `never`",
    ),
    Same(
        "agent/core/fold.py", _READ, "verified.read and verified.final and at - made.at >= MIN_VERIFY_WAIT", "False",
        "no reading would be the last word on a CHANGE, so that no other may follow it",
    ),
    Same(
        "agent/core/fold.py", _OTHER, "made.key != called.key", "None",
        "an earlier CHANGE would be taken for what came back: for one that failed, or was not read yet",
    ),
    Same(
        "agent/core/verify.py", "if triage.traffic <= 0:", "triage.traffic <= 0", "False",
        "without traffic before, silence is always too early to say anything",
    ),
    Same(
        "agent/core/verify.py", f"return {_UNKNOWN}", _UNKNOWN, "[]",
        "without traffic before, silence is always too early to say anything",
    ),
    Same(
        "agent/core/verify.py", _DEAD, "not answer.ok", "True", "every endpoint would count as dead",
    ),
    Same(
        "agent/core/verify.py", "final=final or not complaints,", "final", "None",
        "the last reading would not count as the last, so that no CHANGE may follow it",
    ),
)  # fmt: skip
"""They forbid no less, and so take no clause of a guard away; tests notice them all the same."""
