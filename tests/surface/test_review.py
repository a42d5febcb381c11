"""`skills lint` says what a file can make happen, `skills diff` how an edit changes that; both say so to scripts."""

import json
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from agent.house import folder
from tests.surface.commands import stanch

BROKEN = """\
---
name: broken
description: Has a phase that leads nowhere.
---
# Broken

## Phase 1: Look (always)

- One user → SKIP to Phase 9
"""
SMALL = """\
---
name: small
description: Stops small fires.
---
# Small

## Phase 1: Look (always)

Invoke `sentry`.

## Phase 2: Act (if the blast radius is high)

Invoke `ship-it` in its rollback mode, with `--admin` if it must be quick.

## Phase 3: Verify (always)

Wait 2 min. Invoke `sentry`.

## Stop conditions

- A rollback failed → page humans
"""
INCIDENT = folder("skills") / "production-incident" / "SKILL.md"
SEED = folder("skills").parent.parent / "shared" / "seed" / "production-incident.md"


def written(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return written(Path("small.md"), SMALL)


def test_our_own_skills_pass_and_each_stop_says_who_holds_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "skills", "lint", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["problems"] == []
    assert all("enforced_by" in stop for stops in found["stops"].values() for stop in stops)
    assert {skill["name"]: [one["severity"] for one in skill["findings"]] for skill in found["skills"]} == {
        path.parent.name: ["note"] if path.parent.name == "ship-it" else []
        for path in folder("skills").glob("*/SKILL.md")
    }


def test_the_skill_this_was_built_for_passes_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    if not SEED.exists():
        pytest.skip(f"{SEED.parent.parent.name}/ lies beside no checkout but the author's")
    assert stanch(monkeypatch, "skills", "lint", str(SEED)) == 0


def test_the_example_of_the_manual_has_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manual = (folder("skills").parent / "docs" / "skills.md").read_text(encoding="utf-8")
    example = written(tmp_path / "example.md", manual.partition("```markdown\n")[2].partition("\n```")[0])
    assert stanch(monkeypatch, "skills", "lint", example) == 0
    assert capsys.readouterr().out.endswith("nothing found\n")


def test_a_review_reads_well_at_a_terminal(
    small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "skills", "lint", small) == 1
    said = capsys.readouterr()
    assert said.out == snapshot("""\
small: 3 phases  small.md

  1  Look
     READ          probe_endpoints sentry_issue sentry_picture sentry_signal
     by            sentry
     code does     triage

  2  Act
     entered       many features, blast unknown
     READ          deploy_status git_changes git_log probe_endpoints
     NOTE          hotfix_prepare
     CHANGE        deploy_hotfix deploy_release deploy_rollback
     by            ship-it
     code does     stanch

  3  Verify
     READ          probe_endpoints sentry_issue sentry_picture sentry_signal
     by            sentry
     code does     verify
     waits         5 min

  stop conditions
    G2         A rollback failed → page humans

  error   line 13  G5   asks for what loosens the deploy: `--admin`; take it out: code refuses it
  warning line 11  G4   no phase writes a post-mortem, so no incident ends resolved; invoke
                        `adr-write` in a last phase
  warning line 17  G3   it asks for 2 min; code waits 5 min anyway; write `Wait 5 min`
  warning line 21  G8   it says to page, and no phase grants a tool that pages: the planner cannot;
                        invoke `incident-response`; what code owes, it pages itself
  note    line 11  G4   no phase can prove a cause, so none ends resolved unless a human confirms
                        it; invoke `debug-deep` in some phase
  1 error, 3 warnings, 1 note
""")
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) <= 100


def test_a_review_tells_scripts_everything(
    small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "skills", "lint", small, "--json") == 1
    (skill,) = json.loads(capsys.readouterr().out)["skills"]
    assert skill["phases"][1]["effects"]["deploy_rollback"] == "CHANGE"
    assert skill["phases"][2]["waits"] == {"asked": {"min": 2, "max": 2}, "code": {"min": 5, "max": 5}}
    assert skill["stops"][0]["enforced_by"] == ["G2"]
    assert skill["findings"][0] == {
        "severity": "error",
        "line": 13,
        "what": "asks for what loosens the deploy: `--admin`",
        "instead": "take it out: code refuses it",
        "guard": "G5",
    }


def test_a_broken_file_is_exit_2_and_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "broken.md", BROKEN)
    assert stanch(monkeypatch, "skills", "lint", path) == 2
    assert f"{path}:9: " in capsys.readouterr().err
    assert stanch(monkeypatch, "skills", "diff", path, "sentry") == 2
    assert f"{path}:9: " in capsys.readouterr().err


def test_two_files_of_one_name_are_both_reviewed(
    small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = written(Path("other.md"), SMALL.replace("`--admin`", "care"))
    assert stanch(monkeypatch, "skills", "lint", small, other, "--json") == 1
    reviews = json.loads(capsys.readouterr().out)["skills"]
    assert [(one["where"], len(one["findings"])) for one in reviews] == [("small.md", 5), ("other.md", 4)]


def test_a_file_is_compared_with_the_skill_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = INCIDENT.read_text(encoding="utf-8")
    edited = text.replace("Wait 5-10 min", "Wait 10-20 min").replace("- A rollback failed → page", "- A fire → page")
    path = written(tmp_path / "edited.md", edited)
    assert stanch(monkeypatch, "skills", "diff", "production-incident", path) == 1
    assert capsys.readouterr().out == snapshot("""\
production-incident
  ~ phase 5 (Verify) waits 10-20 min; was 5-10 min
  - the stop condition `A rollback failed` is gone; code enforces G2 regardless
  + new stop condition `A fire → page humans and stop: a broken deploy is beyond this skill`; only
    planners hear it
production-incident: planners read differently phase 5 (Verify), the stop conditions
""")
    assert stanch(monkeypatch, "skills", "diff", "production-incident", path, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["same"] is False
    assert [one["name"] for one in found["skills"]] == ["production-incident"]


def test_wording_alone_is_the_same_behaviour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reworded = INCIDENT.read_text(encoding="utf-8").replace("likeliest first", "the likeliest first")
    path = written(tmp_path / "reworded.md", reworded)
    assert stanch(monkeypatch, "skills", "diff", "production-incident", path) == 0
    assert capsys.readouterr().out == snapshot("""\
production-incident: planners read differently phase 2 (Root cause)
same behaviour
""")
    assert stanch(monkeypatch, "skills", "diff", path, "production-incident", "--json") == 0
    assert json.loads(capsys.readouterr().out)["same"] is True


def test_what_an_edited_skill_grants_shows_in_those_that_invoke_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder("skills") / "debug-deep" / "SKILL.md").read_text(encoding="utf-8")
    path = written(tmp_path / "deep.md", text.replace("git_bisect deploy_status", "git_bisect deploy_rollback"))
    assert stanch(monkeypatch, "skills", "diff", "debug-deep", path) == 1
    said = capsys.readouterr().out
    assert "phase 2 (Root cause) can now CHANGE: deploy_rollback" in said
    assert "phase 2 (Root cause) can no longer READ: deploy_status" in said


def test_folders_are_compared_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = ("page_humans", "chat_post")
    for version, tool in zip("ab", tools, strict=True):
        text = f"---\nname: tell\ndescription: x\nallowed-tools: {tool}\n---\nTell.\n"
        written(tmp_path / version / "tell" / "SKILL.md", text)
    assert stanch(monkeypatch, "skills", "diff", str(tmp_path / "a"), str(tmp_path / "b")) == 1
    assert capsys.readouterr().out == snapshot("""\
tell
  + it can now NOTE: chat_post
  - it can no longer PAGE: page_humans
  + new in what code does in it: coordinate
""")
    assert stanch(monkeypatch, "skills", "diff", str(tmp_path / "a"), str(tmp_path / "a")) == 0


def test_skills_of_two_names_are_compared_with_each_other_alone(
    small: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stanch(monkeypatch, "skills", "diff", small, "production-incident", "--json") == 1
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["skills"]] == ["production-incident"]


@pytest.mark.parametrize("name", ["nope", "nope.md"])
def test_a_skill_that_is_not_there_is_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert stanch(monkeypatch, "skills", "diff", name, "sentry") == 2
    assert name in capsys.readouterr().err


def test_a_skill_that_invokes_what_is_not_there_cannot_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "small.md", SMALL.replace("`ship-it`", "`ship-them`"))
    assert stanch(monkeypatch, "skills", "diff", path, path) == 2
    assert "did you mean `ship-it`?" in capsys.readouterr().err


def test_files_that_no_incident_could_be_run_by_are_refused_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    phases = "".join(f"### Phase {n} — P (always)\n\nDo.\n\n" for n in range(1, 1001))
    bad = {
        "big.md": (SMALL + "prose\n" * 900_000).encode(),
        "latin.md": SMALL.encode() + b"caf\xe9\n",
        "long.md": f"---\nname: long\ndescription: x\n---\n{phases}## Stop conditions\n- x → y\n".encode(),
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    assert stanch(monkeypatch, "skills", "lint", *(str(tmp_path / name) for name in bad)) == 2
    said = capsys.readouterr().err.replace(f"{tmp_path}/", "").splitlines()
    assert said == snapshot(
        [
            "big.md:21810: the file goes on beyond 128 KiB here; keep to what must be done, and link to the rest",
            "latin.md:22: not UTF-8; save the file as UTF-8",
            "long.md:245: 1000 phases, and an incident has 60 model turns; end at phase 60: make one of several",
        ]
    )


def test_a_file_that_would_paint_over_its_findings_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "small.md", SMALL.replace("Phase 2: Act", "Phase 2: Act \x1b[2J\x1b]0;owned\x07"))
    assert stanch(monkeypatch, "skills", "lint", path) == 1
    said = capsys.readouterr().out
    assert "Act" in said
    assert not {"\x1b", "\x07"} & set(said)
