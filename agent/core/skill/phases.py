"""Phases: every heading that starts with `Phase`, with its routing rows and options."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from agent.core.skill.complaints import Complaints
from agent.core.skill.conditions import is_first, parse_condition, phases_named, radius_of
from agent.core.skill.markdown import Kind, Node, until
from agent.core.skill.phrases import flags, invoked, split_arrow, split_qualifier, unique, wait_in
from agent.core.skill.playbook import Always, Mode, Option, Phase, Route
from agent.core.words import Blast

_HEADING = re.compile(r"phase\s+([0-9]{1,4})(?![0-9a-z])\s*[—\u2013:.-]*\s*(.*)", re.IGNORECASE)
_OPTION = re.compile(r"(?i:option)\s+([A-Z0-9])\b\s*[—\u2013:.-]*\s*(.*)")
_LEFT_OUT = re.compile(r"\b(?:skip(?:ping)?|not|never|without)\s+phases?\s+[0-9]+", re.IGNORECASE)
_ONE, _MANY = r"\b(?:single|one|1|an?)\s+", r"\b(?:multiple|many|several|all|2\+)\s+"
_USERS, _FEATURES = r"(?:users?|customers?)\b", r"(?:features?|endpoints?)\b"


class _Told(NamedTuple):
    """What the text says of one phase."""

    number: int
    title: str
    line: int
    body: Sequence[Node]
    text: str


def is_phase(node: Node) -> bool:
    """Whether a node opens a phase."""
    return node.kind is Kind.HEADING and node.plain.split(" ", 1)[0].casefold() == "phase"


def read_phases(blocks: Sequence[Node], lines: Sequence[str], complain: Complaints) -> tuple[Phase, ...]:
    """Every phase, in the order of the text. Those that cannot be read are complained of, and left out."""
    found = list[Phase]()
    for at, heading in enumerate(blocks):
        if not is_phase(heading):
            continue
        titled = _HEADING.fullmatch(heading.plain)
        if titled is None:
            wrong = f"the heading `{heading.plain}` has no phase number"
            complain.at(heading.line, wrong, "write e.g. `### Phase 2 — Root cause (always)`")
            continue
        body = until(blocks[at + 1 :], lambda node, level=heading.level: is_phase(node) or 0 < node.level <= level)
        rest = blocks[at + 1 + len(body) :]
        end = rest[0].line - 1 if rest else len(lines)
        if not body:
            complain.at(heading.line, f"phase {titled[1]} is empty", "say below its heading what to do, or delete it")
        text = "\n".join(lines[heading.line - 1 : end]).strip()
        found.append(_phase(_Told(int(titled[1]), titled[2], heading.line, body, text), complain))
    return tuple(found)


def _phase(told: _Told, complain: Complaints) -> Phase:
    title, qualifier = split_qualifier(told.title)
    condition = parse_condition(qualifier)
    own = until(told.body, _opens_option)
    routes = {node: route for node in own if (route := _route(node, complain))}
    waits = [wait for node in told.body if (wait := wait_in(node, complain))]
    return Phase(
        number=told.number,
        title=title,
        qualifier=qualifier,
        always=isinstance(condition, Always),
        first=is_first(qualifier),
        condition=condition,
        invokes=unique(name for node in told.body for name in invoked(node, complain)),
        routes=tuple(routes.values()),
        options=tuple(_options(told.body[len(own) :], complain)),
        wait=max(waits, key=lambda wait: wait.min, default=None),
        steps=tuple(node.text for node in own if node.kind is Kind.ITEM and node not in routes),
        text=told.text,
        line=told.line,
    )


def _route(node: Node, complain: Complaints) -> Route | None:
    sides = split_arrow(node.text) if node.kind is Kind.ITEM else None
    if sides is None or not re.search(r"\bphases?\b", sides[1], re.IGNORECASE):
        return None
    when, then = sides[0], split_qualifier(sides[1])[0]
    targets, parallel = _targets(_LEFT_OUT.sub("", then))
    if not targets:
        complain.at(node.line, f"the routing row `{node.text}` leads to no phase number", "write e.g. `→ Phase 2`")
        return None
    skip = re.search(r"\bskip", then, re.IGNORECASE) is not None
    return Route(when=when, blast=_class(when), targets=targets, parallel=parallel, skip=skip, line=node.line)


def _targets(then: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Phases to go to, and phases beside them: `Phase 2 + parallel Phase 3`, `Phases 2 and 3 in parallel`."""
    named = phases_named(then)
    before, parallel, _ = then.casefold().partition("parallel")
    first = len(phases_named(before))
    if parallel and first in {0, len(named)}:
        first = 1
    return named[:first], named[first:]


def _class(when: str) -> Blast | None:
    """The blast radius that a row is about: one user is `single`, however many features."""

    def says(amount: str, of: str) -> bool:
        return re.search(amount + of, when, re.IGNORECASE) is not None

    if says(_ONE, _USERS) == says(_MANY, _USERS) or (says(_ONE, _FEATURES) and says(_MANY, _FEATURES)):
        return None
    if says(_ONE, _USERS):
        return Blast.SINGLE
    if says(_ONE, _FEATURES):
        return Blast.ONE_FEATURE
    return Blast.MANY if says(_MANY, _FEATURES) else None


def _opens_option(node: Node) -> bool:
    return _OPTION.fullmatch(node.plain) is not None


def _options(body: Sequence[Node], complain: Complaints) -> Iterator[Option]:
    for at, opener in enumerate(body):
        if found := _OPTION.fullmatch(opener.plain):
            steps = until(body[at + 1 :], lambda node: _opens_option(node) or node.kind is Kind.HEADING)
            yield _option(found[1], found[2], (opener, *steps), complain)


def _option(key: str, rest: str, told: Sequence[Node], complain: Complaints) -> Option:
    title, qualifier = split_qualifier(rest)
    if not title:
        wrong = f"option {key} has no title"
        complain.at(told[0].line, wrong, f"write e.g. `**Option {key} — Rollback** (for high blast-radius):`")
    use, leave = zip(*(flags(node) for node in told), strict=True)
    return Option(
        key=key,
        title=title,
        qualifier=qualifier,
        blast=radius_of(qualifier),
        mode=_mode(title),
        steps=tuple(node.text for node in told[1:] if node.kind is Kind.ITEM),
        invokes=unique(name for node in told for name in invoked(node, _heard(complain))),
        flags=_joined(use),
        forbidden=_joined(leave),
        line=told[0].line,
    )


def _heard(complain: Complaints) -> Complaints:
    """For a second reading: the phase has complained of the same lines already."""
    return Complaints(complain.where)


def _joined(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return unique(flag for group in groups for flag in group)


def _mode(title: str) -> Mode | None:
    if re.search(r"\broll\W?back", title, re.IGNORECASE):
        return "rollback"
    return "hotfix" if re.search(r"\b(?:hot\W?fix|patch)", title, re.IGNORECASE) else None
