"""What one line of a skill says: whom it invokes, which flags it names, how long it waits, where an arrow points."""

import re
from collections.abc import Iterable, Iterator

from agent.core.skill.complaints import Complaints
from agent.core.skill.frontmatter import NAME
from agent.core.skill.markdown import Node
from agent.core.skill.playbook import Wait

_INVOKES = re.compile(r"\b(?:invok(?:e|es|ed|ing)|via)\s+(?:the\s+)?(?:skills?\s+)?$", re.IGNORECASE)
_NOT = re.compile(r"(?:\b(?:not|never|no|without)|n['\u2019]t)\b\s*(?:use|pass|with)?\s*$", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(?:(?:[,+&]|and|then|or)\s*){1,3}", re.IGNORECASE)
_FLAG = re.compile(r"--[a-z][a-z0-9-]*")
_WAIT = re.compile(
    r"(?:^|[.;,:]\s+|\bthen\s+|\band\s+)wait(?:ing)?\s+([^.;:()]{1,30}?)\s*(?<![a-z])"
    r"(min(?:ute)?s?|sec(?:ond)?s?|h(?:ou)?rs?)\b",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"(?:(?:for|about|at least|another)\s+)*([0-9]{1,4})(?:\s*(?:-|\u2013|—|to)\s*([0-9]{1,4}))?", re.IGNORECASE
)
_PARENTHESES = re.compile(r"(.*?)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*:?\s*")


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order."""
    return tuple(dict.fromkeys(names))


def invoked(node: Node, complain: Complaints) -> Iterator[str]:
    """Skills that a line invokes: code spans after `invoke` or `via`, and those joined to them by `and`, `,`, `+`."""
    before, chained = "", False
    for span in node.spans:
        if not span.code:
            before += span.text
            continue
        if verb := _INVOKES.search(before):
            chained = not _NOT.search(before[: verb.start()])
        else:
            chained = chained and _GOES_ON.fullmatch(before) is not None
        before = ""
        if chained and re.fullmatch(NAME, span.text):
            yield span.text
        elif chained and verb and not verb[0].casefold().startswith("via"):
            wrong = f"invokes `{span.text}`, which is no skill's name"
            complain.at(node.line, wrong, "write lowercase letters, digits and hyphens, e.g. Invoke `sentry`")


def flags(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Flags that a line says to use, and flags that it says not to use."""
    use, leave = list[str](), list[str]()
    before = ""
    for span in node.spans:
        if span.code and _FLAG.fullmatch(span.text):
            (leave if _NOT.search(before) else use).append(span.text)
        before = span.text
    return tuple(use), tuple(leave)


def wait_in(node: Node, complain: Complaints) -> Wait | None:
    """The wait that a line asks for: `Wait 5-10 min`, `wait 10 minutes`."""
    found = _WAIT.search(node.plain)
    if found is None:
        return None
    span = _SPAN.fullmatch(found[1].strip())
    if span is None or not found[2].casefold().startswith("m"):
        wrong = f"the wait `{found[1].strip()} {found[2]}` is no number of minutes"
        complain.at(node.line, wrong, "write e.g. `Wait 5-10 min`")
        return None
    least, most = int(span[1]), int(span[2] or span[1])
    if least > most:
        complain.at(node.line, f"the wait {least}-{most} min is upside down", f"write `Wait {most}-{least} min`")
        return None
    return Wait(min=least, max=most)


def split_arrow(text: str) -> tuple[str, str] | None:
    """The two sides of the first arrow."""
    left, arrow, right = text.replace("->", "→").partition("→")
    return (left.strip(), right.strip()) if arrow else None


def split_qualifier(text: str) -> tuple[str, str]:
    """A title, and what stands in parentheses at its end."""
    found = _PARENTHESES.fullmatch(text)
    title, qualifier = (found[1], found[2]) if found else (text, "")
    return title.strip(" \t:—\u2013-"), qualifier.strip()
