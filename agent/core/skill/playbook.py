"""A skill, compiled. Every element keeps the line it was read from, counted from 1."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent.core.words import Blast

Radius: TypeAlias = Literal["high", "limited"]
Mode: TypeAlias = Literal["rollback", "hotfix"]


class _Element(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Always(_Element):
    """Holds."""

    kind: Literal["always"] = "always"


class BlastIs(_Element):
    """Holds when the blast radius is high (many users and features), or limited (less than that)."""

    kind: Literal["blast"] = "blast"
    radius: Radius


class Confirms(_Element):
    """Holds when an earlier phase confirmed something."""

    kind: Literal["confirms"] = "confirms"
    phase: int
    what: str
    """As written, e.g. `recent deploy`."""


class Unclear(_Element):
    """Code cannot decide it; the planner does, citing evidence."""

    kind: Literal["unclear"] = "unclear"
    text: str


class AllOf(_Element):
    """Holds when each part holds."""

    kind: Literal["all"] = "all"
    of: tuple["Condition", ...]


class AnyOf(_Element):
    """Holds when one part holds."""

    kind: Literal["any"] = "any"
    of: tuple["Condition", ...]


Condition: TypeAlias = Annotated[Always | BlastIs | Confirms | AnyOf | AllOf | Unclear, Field(discriminator="kind")]


class Line(_Element):
    """One bullet: a trigger, an output."""

    text: str
    line: int


class Route(_Element):
    """A routing row: when it holds, which phases come next."""

    when: str
    blast: Blast | None
    """The class that `when` speaks of; None when code cannot tell."""
    targets: tuple[int, ...]
    parallel: tuple[int, ...]
    """Phases that run beside the targets."""
    skip: bool
    """What lies between here and the first target is left out, for now."""
    line: int


class Wait(_Element):
    """Minutes of the world's clock. `min == max` when the skill names one number."""

    min: int
    max: int

    def __str__(self) -> str:
        """`5-10 min`, or `10 min` when it is one number."""
        return f"{self.min} min" if self.min == self.max else f"{self.min}-{self.max} min"


class Option(_Element):
    """One of the ways a phase may go."""

    key: str
    """`A`"""
    title: str
    qualifier: str
    blast: Radius | None
    """The blast radius that the qualifier speaks of."""
    mode: Mode | None
    steps: tuple[str, ...]
    invokes: tuple[str, ...]
    flags: tuple[str, ...]
    forbidden: tuple[str, ...]
    """Flags that the option says not to use."""
    line: int


class Phase(_Element):
    """One phase, in the skill's order."""

    number: int
    title: str
    qualifier: str
    """What stands in parentheses after the title, as written."""
    always: bool
    first: bool
    condition: Condition
    invokes: tuple[str, ...]
    """Skills, each once, in the order they are named; those of the options included."""
    routes: tuple[Route, ...]
    options: tuple[Option, ...]
    wait: Wait | None
    steps: tuple[str, ...]
    """Bullets that are neither a routing row nor an option's step."""
    text: str
    """The phase's own markdown, heading included."""
    line: int


class Stop(_Element):
    """A stop condition: when it holds, what follows."""

    condition: str
    consequence: str
    enforced_by: tuple[str, ...]
    """Ids of the guards that hold it in code; empty when only the planner is told."""
    line: int


class Hook(_Element):
    """What to read from memory before, or to write into it after."""

    kind: Literal["read", "write"]
    text: str
    line: int


class Playbook(_Element):
    """A skill that can be run."""

    name: str
    description: str
    where: str
    """The file it came from, as it was named to the compiler."""
    sha256: str
    """Of the text."""
    plain: bool
    """It has no phases of its own, and so runs as one."""
    allowed_tools: tuple[str, ...]
    tools_line: int
    """Where `allowed_tools` are listed."""
    triggers: tuple[Line, ...]
    phases: tuple[Phase, ...]
    stops: tuple[Stop, ...]
    outputs: tuple[Line, ...]
    report: str | None
    """The template of the reconciliation, without its fence."""
    memory: tuple[Hook, ...]

    def phase(self, number: int) -> Phase | None:
        """The phase of that number."""
        return next((phase for phase in self.phases if phase.number == number), None)


def as_json(playbook: Playbook) -> dict[str, JsonValue]:
    """What `stanch skills show --json` prints: the playbook, triggers and outputs as bare strings."""
    whole: dict[str, JsonValue] = playbook.model_dump(mode="json", exclude={"where", "tools_line"})
    whole["triggers"] = [trigger.text for trigger in playbook.triggers]
    whole["outputs"] = [output.text for output in playbook.outputs]
    return whole
