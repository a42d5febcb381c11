"""A human's answer to a call that waits: taken once, in time, from somebody who may, and otherwise told why not."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from pydantic import JsonValue

from agent.core.errors import NotTaken
from agent.core.facts import Approved, Asked, Denied, Opened
from agent.core.policy import Policy
from agent.runtime import hands
from agent.runtime.hands import Reply
from agent.runtime.journal import Entry
from tests.runtime.ports import NOON, FastClock, Ground
from tests.runtime.world import INCIDENT, Bench


def bench(home: Path, policy: Policy | None = None) -> Bench:
    """An open incident; time passes as it does for us."""
    return Bench(Ground(home, FastClock(speed=1)), policy=policy or Policy()).open()


def asked(call: str = "3f2a", key: str = "k", within: int = 30) -> Asked:
    until = NOON + timedelta(minutes=within)
    args: dict[str, JsonValue] = {"to": "v1"}
    return Asked(phase=3, key=key, call=call, tool="deploy_rollback", args=args, guard="G10", why="a wall", until=until)


def answer(at: Bench, call: str, by: str = "Ada", *, yes: bool = True) -> str:
    """Why an answer is not taken; empty when it is."""
    try:
        hands.reply(at.journal, INCIDENT, Reply(call, by, yes))
    except NotTaken as refused:
        return f"{refused.fault}: {refused}"
    return ""


@pytest.mark.parametrize("call", ["3f2a", "3f", "k"], ids=["call", "beginning", "key"])
@pytest.mark.parametrize(("yes", "kind"), [(True, Approved), (False, Denied)])
def test_what_waits_is_answered_once_in_a_name(tmp_path: Path, call: str, yes: bool, kind: type) -> None:  # noqa: FBT001
    at = bench(tmp_path)
    at.keep(asked())
    assert answer(at, call, " Ada ", yes=yes) == ""
    [_, said] = at.incident.leave
    assert isinstance(said, kind)
    assert not isinstance(said, Asked)
    assert (said.call, said.by) == ("3f2a", "Ada")
    word = "allowed" if yes else "denied"
    already = (
        f"answered: Ada {word} deploy_rollback to v1 (call 3f2a) already, and only once; nothing waits for a human"
    )
    assert answer(at, call, "Grace", yes=not yes) == already
    assert len(at.incident.leave) == 2


def test_what_nobody_asked_for_cannot_be_answered(tmp_path: Path) -> None:
    at = bench(tmp_path)
    assert answer(at, "k") == f"unknown: `k` is nothing that {INCIDENT} asked for; nothing waits for a human"
    at.keep(asked(), asked("3f77", "other"))
    these = "these wait:\n  deploy_rollback to v1 (call 3f2a)\n  deploy_rollback to v1 (call 3f77)"
    assert answer(at, "nope") == f"unknown: `nope` is nothing that {INCIDENT} asked for; {these}"
    assert answer(at, "") == f"unknown: `` is nothing that {INCIDENT} asked for; {these}"
    assert answer(at, "3f") == f"unknown: `3f` is not enough to tell which; {these}"
    assert [type(one) for one in at.incident.leave] == [Asked, Asked]


def test_a_yes_for_another_incident_is_refused_and_says_which(tmp_path: Path) -> None:
    at = bench(tmp_path)
    opened = next(fact for fact in at.facts if isinstance(fact, Opened))
    at.journal.write("shop-other", Entry((opened, asked())))
    said = answer(at, "3f2a")
    assert (
        said == f"unknown: `3f2a` is nothing that {INCIDENT} asked for, but shop-other did; nothing waits for a human"
    )
    assert at.incident.leave == ()


def test_who_is_not_on_the_list_is_told_who_is(tmp_path: Path) -> None:
    at = bench(tmp_path, Policy(approvers=("Ada", "Grace")))
    at.keep(asked())
    assert answer(at, "3f2a", "ada") == (
        "stranger: ada may not answer: stanch.toml lists Ada, Grace; ask one of them to"
    )
    assert answer(at, "3f2a", "Grace", yes=False) == ""


def test_a_yes_that_comes_too_late_is_told_so(tmp_path: Path) -> None:
    at = bench(tmp_path)
    at.keep(asked(within=-1))
    assert answer(at, "3f2a") == (
        "late: too late: deploy_rollback to v1 (call 3f2a) waited until 11:59:20 UTC and was not executed; "
        "nothing waits for a human"
    )
    hands.abort(at.journal, INCIDENT, "Ada", "I know this one")
    assert answer(at, "3f2a") == f"late: {INCIDENT} has ended already: aborted, Ada took over: I know this one"
    assert [type(one) for one in at.incident.leave] == [Asked]


def test_of_two_who_answer_at_once_the_first_counts_and_the_other_is_told(tmp_path: Path) -> None:
    at = bench(tmp_path)
    at.keep(asked())
    together, told = Barrier(8), list[str]()

    def say(name: str) -> None:
        mine = at.again()
        together.wait(30)
        told.append(answer(mine, "3f2a", name, yes=name < "E"))

    people = [Thread(target=say, args=(name,)) for name in "ABCDEFGH"]
    for each in people:
        each.start()
    for each in people:
        each.join()
    [_, said] = at.incident.leave
    assert not isinstance(said, Asked)
    word = "allowed" if isinstance(said, Approved) else "denied"
    assert Counter(told) == {
        "": 1,
        f"answered: {said.by} {word} deploy_rollback to v1 (call 3f2a) already, and only once; "
        "nothing waits for a human": 7,
    }
