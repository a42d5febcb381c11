"""The post-mortem: numbered, written once, and nothing that an attacker wrote becomes Markdown."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.repository import History, asked, history, site
from tools.adr import PostMortem, adr_write
from tools.contract import ToolFailed
from tools.observed import Noted
from tools.site import Case, Findings, Service, Site
from tools.texts import Texts, line, prose

PROMPTS = Path(__file__).parents[2] / "prompts"
WHOLE: dict[str, JsonValue] = {
    "title": "Checkout failed for EUR",
    "root_cause": "The currency table lost `EUR`.\nNobody saw it.",
    "cause_level": "proven",
    "culprit": "3f2a9c1d77aa",
    "timeline": [
        {"at": "2026-11-23T03:10:00Z", "what": "Rolled back to v1.7.0"},
        {"at": "2026-11-23T04:02:00+01:00", "what": "Alert"},
    ],
    "why_not_caught_earlier": "No alert by currency.",
    "why_slipped_through": "Tests only used USD.",
    "actions": {"tests": ["Pay in every currency"], "monitors": ["Errors by currency"], "gates": []},
    "revisit_when": "All actions are done.",
    "evidence": ["E3", "E7"],
}

WRITTEN = """\
# ADR-0001: Checkout failed for EUR

Status: accepted
Date: 2026-11-23
Incident: INC-7
Service: shop

## Timeline

- 2026-11-23 03:02:00Z Alert
- 2026-11-23 03:10:00Z Rolled back to v1.7.0

## Root cause

Cause: proven, commit `3f2a9c1d77aa`

The currency table lost `EUR`.

Nobody saw it.

## Why monitoring did not catch it earlier

No alert by currency.

## Why it slipped through tests and CI

Tests only used USD.

## Action items

### Tests to add

- [ ] Pay in every currency

### Monitors to add

- [ ] Errors by currency

### Gates to tighten

None.

## Revisit when

All actions are done.

## Evidence

- E3
- E7
"""


@pytest.fixture
def made(tmp_path: Path) -> History:
    repo = history(tmp_path / "shop")
    repo.commit("Start", {"app.py": "1"})
    return repo


def _written(repo: History, case: str | Case = "INC-7", changed: Mapping[str, JsonValue] | None = None) -> Noted:
    where = site(Service("shop", repo.path), repo.path.parent / "home")
    ports = {Site: where, Case: case if isinstance(case, Case) else Case(case), Texts: Texts(PROMPTS)}
    return asked(adr_write, ports, {**WHOLE, **(changed or {})})


def test_writes_every_section(made: History) -> None:
    noted = _written(made)
    assert (noted.reference, noted.title) == ("ADR-0001", "Checkout failed for EUR")
    assert Path(noted.url) == made.path / "docs" / "adr" / "0001-checkout-failed-for-eur.md"
    assert Path(noted.url).read_text() == WRITTEN
    assert made.git("status", "--porcelain") == "?? docs/"


def test_who_allowed_or_denied_what_is_a_section_of_its_own(made: History) -> None:
    said = ["Ada allowed deploy_rollback to v1.7.0 (call 3f2a9c1d77aa)", "Bob denied [x] <b>"]
    text = Path(_written(made, changed={"approvals": [*said]}).url).read_text()
    assert f"\n\n## Approvals\n\n- {said[0]}\n- Bob denied \\[x\\] &lt;b&gt;\n\n## Root" in text


def test_what_was_suspected_and_tried_stands_there_as_code_found_it(made: History) -> None:
    found = Findings(
        ("v1.8.0 brought it — proven", "  [x](http://evil) <b> — rejected", "    for: +3.0 it wrote"), ("E9 a..b",)
    )
    text = Path(_written(made, Case("INC-7", findings=lambda: found)).url).read_text()
    assert "\n\n## Hypotheses\n\n- v1.8.0" in text
    assert "\n  - \\[x\\](http" in text
    assert "\n    - for: +3.0 it wrote\n\n## Bisect\n\n- E9 a..b\n\n## Why mon" in text


def test_numbers_on_from_the_highest(made: History) -> None:
    made.commit("Decide", {"docs/adr/0006-old.md": "# Old\n\n## Incident: INC-7\n", "docs/adr/notes.txt": "x"})
    assert _written(made).reference == "ADR-0007"
    assert _written(made, "INC-8").reference == "ADR-0008"


def test_one_incident_has_one_post_mortem(made: History) -> None:
    first = _written(made)
    assert _written(made, changed={"title": "Said otherwise"}) == first
    assert len(list((made.path / "docs" / "adr").iterdir())) == 1


def test_two_workers_at_once_write_one(made: History) -> None:
    where = site(Service("shop", made.path), made.path.parent / "home")
    args = PostMortem.model_validate(WHOLE)

    async def both() -> list[Noted]:
        return await asyncio.gather(*(adr_write.run(args, where, Case("INC-7"), Texts(PROMPTS)) for _ in range(2)))

    first, second = asyncio.run(both())
    assert first == second


def test_text_cannot_forge_another_incident_or_a_section(made: History) -> None:
    forged = "Incident: INC-8\n\n## Evidence\n<script>alert(1)</script>\n![x](http://evil/?q)\n```\n- [x] done"
    text = Path(_written(made, changed={"root_cause": forged, "title": "# A\nIncident: INC-8"}).url).read_text()
    assert text.count("\n## ") == 7
    for never in ("<script>", "![x](", "\n```", "\n- [x] done", "\nIncident: INC-8\n#"):
        assert never not in text
    assert _written(made, "INC-8").reference == "ADR-0002"


@pytest.mark.parametrize("level", ["correlated", "none", ""])
def test_never_without_a_proven_or_confirmed_cause(made: History, level: str) -> None:
    with pytest.raises(ToolFailed, match="cause_level"):
        _written(made, changed={"cause_level": level})
    assert not (made.path / "docs").exists()
    assert PostMortem.model_validate(WHOLE).cause.level == "proven"


def test_says_so_when_the_folder_cannot_be_written(made: History) -> None:
    (made.path / "docs").write_text("a file, not a folder")
    with pytest.raises(ToolFailed, match="cannot be written"):
        _written(made)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain", "plain"),
        ("# head\nmore", r"\# head more"),
        ("12. item", r"12\. item"),
        ("=====", r"\====="),
        ("[a](b) <b> &amp;", r"\[a\](b) &lt;b&gt; &amp;amp;"),
        ("a\u202eb\x1b[0m", r"ab\[0m"),
    ],
)
def test_untrusted_text_stays_text(text: str, plain: str) -> None:
    assert line(text) == plain


def test_prose_keeps_paragraphs() -> None:
    assert prose("a\n\n\n- b\r\nc") == "a\n\n\\- b\n\nc"
