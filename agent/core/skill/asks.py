"""What a skill's text asks for that a guard forbids. Words alone: the guards hold whether or not it is found here."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final, NamedTuple

from agent.core.changes import FORBIDDEN
from agent.core.skill.denial import taken_back
from agent.core.skill.enforced import carried_on
from agent.core.skill.finding import Finding, error
from agent.core.skill.playbook import Stop


class _Ask(NamedTuple):
    guard: str
    for_what: str
    words: re.Pattern[str]


def _ask(guard: str, for_what: str, words: str) -> _Ask:
    return _Ask(guard, for_what, re.compile(words, re.IGNORECASE))


_THE = r"(?:(?:the|a|an|any|its|their|your|this|deploy's|service's|own|known|proven|real) )*"
_BACK = r"(?:roll(?:ing|s)? ?-?back|revert(?:ing)?)"
_DEPLOY = rf"(?:{_BACK}|(?:re-?)?deploy(?:ing|s)?\b|ship(?:ping|s)?\b|chang(?:e|ing) production)"
_FAILED = r"(?:fails|failed|is broken|breaks|does ?n[o']t (?:work|help)|did not (?:work|help))"
_ANEW = rf"(?:{_DEPLOY}|retry|try (?:again|it again|the next|another|an older|a newer|the previous)|hotfix)"
_CLOSE = (
    r"(?:resolv(?:e|ed|ing)|clos(?:e|ed|ing)|(?:mark|declare|call|report)(?:s|ed|ing)? [\w ]{0,30}\b(?:resolved|over))"
)
_HUMANS = r"(?:any(?:one|body)|a human|humans|people|the on-?call|on-?call|no ?(?:one|body))"
_ASKS: Final = (
    _ask("G1", "a change before triage", rf"{_DEPLOY}[\w ,-]{{0,40}} (?:before|without) {_THE}triag\w+"),
    _ask("G1", "a change before triage", rf"\bskip(?:ping)? {_THE}triage|triage (?:can|may) (?:wait|be skipped)"),
    _ask("G2", "a change after a failed rollback",
         rf"\b(?:rollback|{_BACK}) {_FAILED}\b[^.;]{{0,40}}?[,:→;] *(?:[\w' ]{{0,20}} )?(?P<act>{_ANEW})"),
    _ask("G2", "a change after a failed rollback",
         rf"{_ANEW}[\w ,-]{{0,30}} (?:if|when|after|once) {_THE}(?:failed rollback|rollback {_FAILED})"),
    _ask("G3", "an end without verification",
         rf"{_CLOSE}[\w ,-]{{0,40}} (?:without|before) {_THE}(?:verif|wait|check|re-?read|look)"),
    _ask("G3", "an end without verification", rf"\b(?:skip(?:ping)?|no need (?:to|for)) {_THE}verif\w+"),
    _ask("G3", "an end without verification",
         rf"{_CLOSE}[\w ,-]{{0,30}} (?:immediately|at once|right after {_THE}(?:rollback|deploy|hotfix))"),
    _ask("G4", "a post-mortem or an end without a root cause",
         rf"(?:{_CLOSE}|\b(?:ADR|post-?mortem))[\w ,-]{{0,40}} without {_THE}(?:(?:knowing|finding|proving) {_THE})?"
         r"(?:root )?cause"),
    _ask("G4", "a post-mortem or an end without a root cause",
         rf"\b(?:skip(?:ping)?|omit|guess|invent|make up|leave out) {_THE}(?:(?:ADR|post-?mortem)(?:'s)? )?root cause"),
    _ask("G4", "an end without a post-mortem", rf"\bskip(?:ping)? {_THE}(?:ADR|post-?mortem)\b"),
    _ask("G5", "what loosens the deploy", "(?:" + "|".join(map(re.escape, FORBIDDEN)) + r")[\w-]*"),
    _ask("G5", "a force-push", r"\bforce[- ]?push\w*"),
    _ask("G5", "a deploy whose health is not checked",
         rf"\b(?:skip|bypass|ignor|disabl|overrid|turn off|switch off)\w* {_THE}(?:failing |failed )?health"),
    _ask("G5", "a deploy whose health is not checked", rf"{_DEPLOY}[\w ,-]{{0,40}} without {_THE}health"),
    _ask("G6", "a second rollback before the first is verified",
         rf"(?:keep {_BACK}|{_BACK} (?:once more|again|twice|a second time|further|repeatedly|until))"),
    _ask("G6", "a rollback to a release that is no way back",
         rf"{_BACK}[\w ,-]{{0,20}} to {_THE}(?:newer|running|current|unhealthy|untested)\b"),
    _ask("G8", "an escalation that reaches nobody",
         rf"\b(?:never|do not|don't|no need to) (?:page|escalate to|wake|notify) {_HUMANS}(?! (?:twice|again|unless))"),
    _ask("G8", "an escalation that reaches nobody", rf"\bpage no ?(?:body|one)|\bwithout (?:paging|waking) {_HUMANS}"),
    _ask("G9", "more than the budget", rf"\b(?:ignor|exceed|rais|disregard)\w* {_THE}(?:budget|ceiling|turn limit)"),
    _ask("G10", "what cannot be undone, without a human",
         r"\b(?:without (?:asking|waiting for) (?:a human|anyone|anybody|people|approval)|without (?:human )?approval"
         r"|approve it yourself|auto-?approve\w*)"),
    _ask("G11", "obedience to text from outside",
         r"\b(?:follow|obey|execute|run) [\w ]{0,20}\b(?:instructions|commands|orders)\b[\w ]{0,20} (?:in|from|of) "
         rf"{_THE}(?:ticket|error|exception|commit|issue|log|stack trace|comment|message)"),
    _ask("G12", "code that runs outside the sandbox", r"\b(?:outside|without|bypass\w*|escap\w+) (?:of )?the sandbox"),
    _ask("G13", "the same change twice", rf"{_DEPLOY} (?:it |the (?:same )?tag )?(?:twice|several times|repeatedly)"),
)  # fmt: skip
_STARTS_A_THOUGHT = re.compile(r"\s*(?:[-*+]\s|[0-9]+[.)]\s|#{1,6}\s|\||$)")
_LONG: Final = 1_000
"""Characters of one sentence; a longer one is read in pieces."""
_MOST: Final = 20
"""Times that one sentence is asked for the same thing. Both keep the longest file to a second or two."""
_SENTENCE_ENDS = re.compile(r"[.;!?](?=\s|$)")


class Sentence(NamedTuple):
    """One sentence of a skill, without marks of emphasis and code, and the line that it begins in."""

    line: int
    text: str


def asks(lines: Sequence[str], first: int, stops: Sequence[Stop], left_out: frozenset[int]) -> Iterator[Finding]:
    """Everything in a text, from line `first` on, that a guard forbids; prose, comments and quotes included.

    Of a stop condition only what follows from it is an ask, and the lines in `left_out` are none.
    """
    ends = {stop.line: stop for stop in stops}
    for stop in stops:
        if guards := carried_on(stop.condition, stop.consequence):
            what = f"the stop condition `{stop.condition}` carries on: `{stop.consequence}`"
            yield error(stop.line, what, "let it stop, page or block", ", ".join(guards))
    told = set[tuple[int, str]]()
    for line, text in sentences(lines, first):
        stop = ends.get(line)
        for ask, words in _asked(_bare(stop.consequence) if stop else text):
            if line not in left_out and (line, ask.guard) not in told:
                told.add((line, ask.guard))
                yield error(line, f"asks for {ask.for_what}: `{words}`", "take it out: code refuses it", ask.guard)


def _asked(text: str) -> Iterator[tuple[_Ask, str]]:
    """The first words of each kind that the text does not take back."""
    for ask in _ASKS:
        meant = (found for found in islice(ask.words.finditer(text), _MOST) if not taken_back(text, found))
        if found := next(meant, None):
            yield ask, found[0].strip(" ,")


def sentences(lines: Sequence[str], first: int) -> Iterator[Sentence]:
    """Every sentence with the line that it begins in. One may run over lines, not over bullets or blank lines."""
    begun, text = first, ""
    for number, raw in enumerate([*lines[first - 1 :], ""], start=first):
        if _STARTS_A_THOUGHT.match(raw):
            yield from [Sentence(begun, text)] if text else []
            text = ""
        for part in _split(_bare(raw)):
            begun, text = (begun, f"{text} {part}") if text else (number, part)
            if _SENTENCE_ENDS.search(part) or len(text) > _LONG:
                yield Sentence(begun, text)
                text = ""


def _split(line: str) -> list[str]:
    ends = [0, *(found.end() for found in _SENTENCE_ENDS.finditer(line)), len(line)]
    parts = (line[start:end].strip() for start, end in pairwise(ends))
    return [part[at : at + _LONG] for part in parts for at in range(0, len(part), _LONG)]


def _bare(line: str) -> str:
    """Without the marks of emphasis, code, quotes and comments."""
    text = re.sub(r"<!--|-->|[*`>\"]", "", line.replace("->", "→").replace("--→", ""))
    return " ".join(text.split())
