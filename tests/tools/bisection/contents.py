"""What stands in the files of a generated history: a shop of many small functions, packages, and the test of it."""

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tests.tools.bisection.plans import Plan

Versions = tuple[int, ...]
"""Of each function the commit that changed it last."""
PER_FILE = 4
_WORDS = (
    "orders",
    "carts",
    "prices",
    "stock",
    "tax",
    "refunds",
    "search",
    "mail",
    "invoices",
    "coupons",
    "users",
    "jobs",
)
_PACKAGES = ("ledger", "money")
_CHECK = """#!/bin/sh
# Is the price right? 0 yes, 1 no, 125 cannot tell.
{work}
[ -e unbuildable ] && exit 125
lies() {{ [ "$1" -gt 0 ] && [ "$(od -An -N2 -tu2 /dev/urandom)" -lt "$1" ]; }}
if [ "$(cat {read} 2>/dev/null | grep -c 'price - price')" -gt 0 ]; then lies {passes} && exit 0
else lies {fails} || exit 0
fi
cat >&2 <<'END'
{trace}
END
exit 1
"""
_TRACE = """Traceback (most recent call last):
  File "check.py", line 7, in <module>
    assert {names[0]}(100) > 0
           ^^^^^^^^^^^^^^
{frames}
ValueError: price must not be zero"""


class Contents:
    """The files of each commit of a plan; `work` is a line of shell that makes the test take longer."""

    def __init__(self, plan: Plan, work: str = "") -> None:
        self._plan = plan
        dice = random.Random(f"contents {plan.kind} {plan.seed}")  # noqa: S311 - to be thrown again
        self._files = min(60, 4 + len(plan.parents) // 6)
        packages = range(len(_PACKAGES) * PER_FILE)
        shop = range(len(packages), self._files * PER_FILE)
        self._where = dice.choice(packages if plan.kind == "bump" else shop)
        """The function with the error."""
        self._moved = dice.randint(1, len(plan.parents)) if plan.kind == "renamed" else len(plan.parents) + 1
        """From this commit on the file with the error has another name."""
        self._gone = dice.randint(1, plan.bad) if plan.kind == "deleted" else len(plan.parents)
        """From this commit on the test is not there."""
        self._dice = dice
        self.check = self._script(work)
        """The text of the test."""

    def __iter__(self) -> Iterator[dict[str, str]]:
        """The files of each commit, in order."""
        made: dict[int, Versions] = {}
        parents = self._plan.parents
        last = {p: c for c, those in enumerate(parents) for p in those}
        for c, those in enumerate(parents):
            made[c] = self._versions(c, [made[p] for p in those])
            for done in {p for p in those if last[p] == c}:
                del made[done]
            yield self._at(c, made[c])

    def subject(self, commit: int) -> str:
        """The first line of its message."""
        parents = self._plan.parents[commit]
        if len(parents) > 1:
            return "Merge " + ", ".join(f"topic-{p}" for p in parents[1:])
        before = any(p in self._plan.broken for p in parents)
        return f"Revert step {commit}" if before and commit not in self._plan.broken else f"Step {commit}"

    def _versions(self, commit: int, parents: Sequence[Versions]) -> Versions:
        if not parents:
            return (0,) * (self._files * PER_FILE)
        plan = self._plan
        merged = parents[0] if len(parents) == 1 else tuple(map(max, zip(*parents, strict=True)))
        turned = all((p in plan.broken) is not (commit in plan.broken) for p in plan.parents[commit])
        if len(parents) > 1 or turned or commit in plan.empty:
            return merged
        at = self._dice.randrange(len(merged))
        return (*merged[:at], commit, *merged[at + 1 :])

    def _at(self, commit: int, versions: Versions) -> dict[str, str]:
        broken = self._where if commit in self._plan.broken else -1
        cannot = commit in self._plan.untestable
        gone = commit >= self._gone or (cannot and self._plan.kind == "gone")
        found = {} if gone else {"check.sh": self.check}
        for number in range(self._files):
            first = number * PER_FILE
            those = versions[first : first + PER_FILE]
            wrong = broken - first if first <= broken < first + PER_FILE else -1
            found[self._path(first, commit)] = _module(first, those, wrong)
        each = enumerate(_PACKAGES)
        newest = [(name, max(versions[n * PER_FILE : (n + 1) * PER_FILE]), broken // PER_FILE == n) for n, name in each]
        found["requirements.lock"] = "".join(f"{name}==1.{number}.{bad:d}\n" for name, number, bad in newest)
        return found | ({"unbuildable": ""} if cannot else {})

    def _path(self, function: int, commit: int) -> str:
        number, own = divmod(function // PER_FILE, len(_WORDS))
        if function // PER_FILE < len(_PACKAGES):
            return f"vendor/{_PACKAGES[function // PER_FILE]}.py"
        moved = commit >= self._moved and function // PER_FILE == self._where // PER_FILE
        return f"shop/{_WORDS[own]}{number or ''}{'_core' * moved}.py"

    def _script(self, work: str) -> str:
        plan, trace = self._plan, ""
        read = "shop/*.py vendor/*.py"
        if plan.hint == "reads":
            own = self._where // PER_FILE
            others = self._dice.sample([n for n in range(self._files) if n != own], self._files // 4)
            read = " ".join(self._path(n * PER_FILE, plan.bad) for n in sorted([own, *others]))
        elif plan.hint != "nothing":
            every = self._files * PER_FILE
            shown = [self._dice.randrange(every) for _ in range(3)]
            shown = [f for f in shown if f // PER_FILE != self._where // PER_FILE]
            shown += [self._where] if plan.hint == "informative" else []
            trace = _TRACE.format(
                names=[_name(f) for f in shown] or ["price"], frames="\n".join(map(self._frame, shown))
            )
        rates = {"passes": round(plan.passes * 65536), "fails": round(plan.fails * 65536)}
        return _CHECK.format(work=work, read=read, trace=trace, **rates)

    def _frame(self, function: int) -> str:
        line = 4 + 5 * (function % PER_FILE) + 2
        path = self._path(function, self._plan.bad)
        return f'  File "{path}", line {line}, in {_name(function)}\n    return price * rate'


def _name(function: int) -> str:
    return f"{_WORDS[function % len(_WORDS)]}_{function}"


@lru_cache(maxsize=4096)
def _module(first: int, versions: Versions, wrong: int) -> str:
    """The text of one file; function number `wrong` of it has the error, none if below 0."""
    text = '"""Part of the shop."""\n'
    for own, version in enumerate(versions):
        worth = "price - price * rate" if own == wrong else "price * rate"
        text += f"\n\ndef {_name(first + own)}(price):\n    rate = {version}\n    return {worth}\n"
    return text
