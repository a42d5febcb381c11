"""Text to Playbook: reads everything, and complains of everything at once."""

from collections.abc import Sequence
from hashlib import sha256

from agent.core.errors import SkillError
from agent.core.skill.complaints import Complaints
from agent.core.skill.consistency import check_fences, check_phases
from agent.core.skill.frontmatter import Front, end_of_front, read_front
from agent.core.skill.markdown import lines_of, nodes
from agent.core.skill.phases import is_phase, read_phases
from agent.core.skill.playbook import Always, Phase, Playbook
from agent.core.skill.sections import read_lines, read_memory, read_report, read_stops


def compile_skill(text: str, where: str) -> Playbook:
    """The playbook that a SKILL.md states.

    `where` names the file in complaints; a file called SKILL.md must lie in a folder of the skill's name. A skill
    without phases runs as one phase, always, and its prose is not held to our grammar. Raises SkillError with every
    problem of the text.
    """
    complain = Complaints(where)
    digest = _digest(text, complain)
    lines = lines_of(text.removeprefix("\ufeff"))
    front = read_front(lines, complain)
    length = end_of_front(lines)
    blocks = tuple(nodes([""] * length + lines[length:]))
    plain = not any(map(is_phase, blocks))
    prose = Complaints(complain.where) if plain else complain
    phases = read_phases(blocks, lines, prose)
    stops, memory = tuple(read_stops(blocks, prose)), tuple(read_memory(blocks, prose))
    report = read_report(blocks, prose)
    check_phases(phases, prose)
    check_fences(blocks, complain)
    if front is None or complain.found:
        raise SkillError(sorted(complain.found, key=lambda problem: problem.line or 0))
    return Playbook(
        name=front.header.name,
        description=front.header.description,
        where=where,
        sha256=digest,
        plain=plain,
        allowed_tools=front.header.allowed_tools,
        tools_line=front.keys.get("allowed-tools", 1),
        triggers=(*front.triggers, *read_lines(blocks, "trigger")),
        phases=(_whole(front, lines),) if plain else phases,
        stops=stops,
        outputs=read_lines(blocks, "output"),
        report=report,
        memory=memory,
    )


def _digest(text: str, complain: Complaints) -> str:
    try:
        return sha256(text.encode()).hexdigest()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        complain.at(line, "half a character (a lone surrogate)", "save the file as UTF-8")
        return ""


def _whole(front: Front, lines: Sequence[str]) -> Phase:
    """The one phase of a plain skill."""
    return Phase(
        number=1,
        title=front.header.name,
        qualifier="",
        always=True,
        first=True,
        condition=Always(),
        invokes=(),
        routes=(),
        options=(),
        wait=None,
        steps=(),
        text="\n".join(lines[front.length :]).strip(),
        line=front.length + 1,
    )
