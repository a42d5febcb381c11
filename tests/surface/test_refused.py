"""What cannot work is refused before anything is begun: exit 2, which key is wrong, and what to do about it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from git import Repo

from agent.house import folder
from tests.shop import NEWEST, RUNNING, TOKEN, Shop
from tests.surface.commands import stanch

RUN, SHIP = ("run", "prod is down"), ("ship", NEWEST)
BOTH = pytest.mark.parametrize("words", [RUN, SHIP], ids=["run", "ship"])
OURS = folder("skills") / "production-incident" / "SKILL.md"

Refused = Callable[..., str]


@pytest.fixture
def refused(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """What a command says when it does nothing at all."""

    def said(*words: str) -> str:
        before = shop.incidents()
        assert stanch(monkeypatch, *words) == 2
        told = capsys.readouterr()
        assert (told.out, shop.incidents()) == ("", before)
        return told.err

    return said


def skill(home: Path, old: str, new: str) -> Path:
    """A copy of our own skill with one thing changed."""
    text = OURS.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = home / "production-incident" / "SKILL.md"
    file.parent.mkdir()
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def line(file: Path, words: str) -> int:
    return next(n for n, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if words in text)


@BOTH
def test_a_token_that_is_not_taken_names_its_key_and_its_variable(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv(TOKEN, "hunter2")
    said = refused(*words)
    assert said.startswith("stanch.toml:2: service.shop.tracker: ")
    assert TOKEN in said
    assert "hunter2" not in said
    assert "nothing was begun" in said


@BOTH
def test_a_token_that_is_not_there_names_its_key_and_its_variable(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.delenv(TOKEN)
    assert f"service.shop.tracker.token_env: {TOKEN} is not set" in refused(*words)


@BOTH
@pytest.mark.parametrize("family", ["tracker", "page"])
def test_a_table_that_is_needed_and_not_there(
    shop: Shop, refused: Refused, words: tuple[str, ...], family: str
) -> None:
    shop.write(**{family: None})
    assert f"service.shop.{family}: without a" in refused(*words)


def test_a_release_needs_something_that_deploys_it(shop: Shop, refused: Refused) -> None:
    shop.write(deploy=None)
    assert "service.shop.deploy: nothing is configured that could deploy" in refused(*SHIP)


@BOTH
def test_what_waits_for_a_human_needs_somebody_who_hears_of_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    shop.write(approvals='[service.shop.approvals]\nrollback = "never"\n', page=None)
    assert stanch(monkeypatch, *words) == 2
    at = line(shop.config, '"never"')
    assert capsys.readouterr().err.startswith(
        f"stanch.toml:{at}: service.shop.approvals.rollback: `never`, and no human would hear of it"
    )
    assert not (shop.root / ".stanch").exists()


def test_a_release_that_is_never_put_out_is_not_begun(shop: Shop, refused: Refused) -> None:
    shop.write(approvals='[service.shop.approvals]\nrelease = "never"\n')
    assert "service.shop.approvals: a release is `never` put out by Stanch" in refused(*SHIP)


@BOTH
def test_a_repository_without_release_tags(shop: Shop, refused: Refused, words: tuple[str, ...]) -> None:
    shop.repo.delete_tag(*shop.repo.tags)
    assert "service.shop.repo: the repository has no release tags: tag releases as" in refused(*words)


@BOTH
def test_a_shallow_clone(shop: Shop, refused: Refused, tmp_path: Path, words: tuple[str, ...]) -> None:
    Repo.clone_from(shop.root.as_uri(), tmp_path / "clone", depth=1)
    shop.config.write_text(f'[service.shop]\nrepo = "clone"\n{"".join(shop.tables.values())}', encoding="utf-8")
    said = refused(*words)
    assert "stanch.toml:2: service.shop.repo: " in said
    assert "git fetch --unshallow" in said


@BOTH
def test_a_dirty_checkout_is_refused_and_left_as_it_is(shop: Shop, refused: Refused, words: tuple[str, ...]) -> None:
    tracked = Path(shop.repo.working_dir) / "app.py"
    tracked.write_text("whole", encoding="utf-8")
    shop.repo.git.add(tracked.name)
    shop.repo.index.commit("Say hello")
    tracked.write_text("half written", encoding="utf-8")
    said = refused(*words)
    assert tracked.name in said
    assert "commit or stash" in said
    assert tracked.read_text(encoding="utf-8") == "half written"


@pytest.mark.parametrize(
    ("tag", "why"), [("v9.9.9", f"there is no release tag v9.9.9; the newest is {NEWEST}"), (RUNNING, "runs already")]
)
def test_a_tag_that_cannot_be_shipped(refused: Refused, tag: str, why: str) -> None:
    assert why in refused("ship", tag)


def test_nothing_is_shipped_while_an_incident_is_open(shop: Shop, refused: Refused) -> None:
    known = shop.begin()
    assert refused(*SHIP) == f"{known} is open on shop: nothing is shipped meanwhile; `stanch run --resume`\n"


def test_nothing_to_go_on_with_and_nothing_said(refused: Refused) -> None:
    for words in (("run",), ("run", "--resume")):
        assert "no incident of shop is open" in refused(*words)
    assert "name one with --skill" in refused("run", "why does this test fail on my branch?")


def test_a_skill_with_a_phase_that_leads_nowhere_names_the_line(refused: Refused, tmp_path: Path) -> None:
    file = skill(tmp_path, "skip to Phase 3", "skip to Phase 9")
    assert f"{file}:{line(file, 'Phase 9')}: " in refused(*RUN, "--skill", str(file))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Invoke `debug-deep`", "Invoke `debug-depe`", "did you mean `debug-deep`?"),
        ("---\n\n# Prod", "allowed-tools: deploy_rollbak\n---\n\n# Prod", "did you mean `deploy_rollback`?"),
    ],
    ids=["skill", "tool"],
)
def test_a_library_that_names_what_there_is_not(
    refused: Refused, tmp_path: Path, old: str, new: str, says: str
) -> None:
    file = skill(tmp_path, old, new)
    said = refused(*RUN, "--skill", str(file))
    assert said.startswith(f"{file}:")
    assert says in said


def test_a_demo_needs_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    assert stanch(monkeypatch, "demo", "--home", str(tmp_path)) == 2
    assert f"{tmp_path} is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
