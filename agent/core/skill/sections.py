"""The sections around the phases: triggers, stop conditions, outputs, the report's template, memory hooks."""

from collections.abc import Iterator, Sequence

from agent.core.skill.complaints import Complaints
from agent.core.skill.enforced import guards_of
from agent.core.skill.markdown import Kind, Node, until
from agent.core.skill.phrases import split_arrow
from agent.core.skill.playbook import Hook, Line, Stop

_READ = frozenset({"read", "recall", "look"})
_WRITE = frozenset({"write", "remember", "record", "store", "capture"})


def read_lines(blocks: Sequence[Node], title: str) -> tuple[Line, ...]:
    """The bullets of the sections whose heading contains `title`."""
    return tuple(Line(text=item.text, line=item.line) for item in _items(blocks, title))


def read_stops(blocks: Sequence[Node], complain: Complaints) -> Iterator[Stop]:
    """The stop conditions: `when → what follows`."""
    for item in _items(blocks, "stop condition"):
        when, then = split_arrow(item.text) or _split_colon(item.text)
        if when and then:
            yield Stop(condition=when, consequence=then, enforced_by=guards_of(when, then), line=item.line)
        else:
            complain.at(item.line, f"the stop condition `{item.text}` is half", "write `when → what follows`")


def read_report(blocks: Sequence[Node], complain: Complaints) -> str | None:
    """The fenced template of the section called Reconciliation; None when there is no such section."""
    for heading, body in _sections(blocks, "reconciliation"):
        template = next((node.text for node in body if node.kind is Kind.FENCE), "")
        if template.strip():
            return template
        complain.at(heading.line, "the reconciliation has no template", "put the report between two ``` lines")
    return None


def read_memory(blocks: Sequence[Node], complain: Complaints) -> Iterator[Hook]:
    """The memory hooks: bullets that start with Read or Write."""
    for item in _items(blocks, "memory hook"):
        verb = item.plain.split(" ", 1)[0].casefold()
        if verb in _READ | _WRITE:
            yield Hook(kind="read" if verb in _READ else "write", text=item.text, line=item.line)
        else:
            complain.at(
                item.line, f"the memory hook `{item.text}` neither reads nor writes", "start with Read or Write"
            )


def _items(blocks: Sequence[Node], title: str) -> Iterator[Node]:
    return (node for _, body in _sections(blocks, title) for node in body if node.kind is Kind.ITEM)


def _sections(blocks: Sequence[Node], title: str) -> Iterator[tuple[Node, Sequence[Node]]]:
    for at, heading in enumerate(blocks):
        if heading.kind is Kind.HEADING and title in heading.plain.casefold():
            yield heading, until(blocks[at + 1 :], lambda node: node.kind is Kind.HEADING)


def _split_colon(text: str) -> tuple[str, str]:
    when, _, then = text.partition(": ")
    return when.strip(), then.strip()
