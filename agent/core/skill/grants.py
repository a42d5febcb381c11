"""What skills mean to one another: which tools a phase may call, and what no skill or tool answers to."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches

from agent.core.errors import Problem
from agent.core.skill.playbook import Phase, Playbook
from tools.contract import Effect


def granted(playbook: Playbook, phase: Phase, library: Mapping[str, Playbook]) -> frozenset[str]:
    """The tools that a phase may call: those of the skills that it invokes, and those of its own skill that it names.

    A plain skill is one phase and need not name them.
    """
    invoked = (library[name].allowed_tools for name in phase.invokes if name in library)
    own = (tool for tool in playbook.allowed_tools if playbook.plain or f"`{tool}`" in phase.text)
    return frozenset(own).union(*invoked)


def check_library(playbooks: Mapping[str, Playbook], tools: Mapping[str, Effect]) -> list[Problem]:
    """Everything that does not fit: a skill or tool that is named and not there, a tool that no phase may call."""
    callable_ = {
        name for book in playbooks.values() for phase in book.phases for name in granted(book, phase, playbooks)
    }
    return [
        *strangers(playbooks, tools),
        *(
            Problem(f"tool {name}", None, "no phase of any skill may call it", "add it to a skill's `allowed-tools`")
            for name in sorted(tools.keys() - callable_)
        ),
    ]


def strangers(playbooks: Mapping[str, Playbook], tools: Collection[str]) -> list[Problem]:
    """Skills and tools that are named and not there: nothing can be run by such a library."""
    return [problem for book in playbooks.values() for problem in _strangers(book, playbooks, tools)]


def _strangers(book: Playbook, playbooks: Mapping[str, Playbook], tools: Collection[str]) -> Iterator[Problem]:
    for name in book.allowed_tools:
        if name not in tools:
            yield Problem(book.where, book.tools_line, f"there is no tool `{name}`", _instead(name, tools))
    for phase in book.phases:
        for name in phase.invokes:
            if name not in playbooks:
                wrong = f"phase {phase.number} invokes `{name}`, and there is no such skill"
                yield Problem(book.where, phase.line, wrong, _instead(name, playbooks))


def _instead(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{one}`' for one in sorted(known))}"
