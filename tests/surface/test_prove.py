"""`stanch prove` walks the house skill, or the one it is given; tests/test_guards_page.py runs the whole of it."""

from agent.house import folder
from agent.surface.prove import walked


def test_walks_the_house_skill_or_another() -> None:
    assert walked(None).playbook.name == "production-incident"
    other = walked(folder("skills") / "ship-it" / "SKILL.md")
    assert other.playbook.name == "ship-it"
