"""A stanch.toml is right, or every mistake in it is named with its line before anything happens."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from agent.core import limits
from agent.core.errors import ConfigError
from agent.core.policy import Leave, Policy
from agent.settings import MODEL, LabTime, Settings, WallTime, default_model, load, secrets

WHOLE = """\
[stanch]
home = "var"
model = "openai:gpt-5"
max_cost_usd = 1.5
clock = { kind = "lab", file = "clock.json" }

[service.shop]
repo = "code"
tag = "{service}-{version}"
irreversible = ["migrations/**"]
tracker = { kind = "sentry", token_env = "SENTRY_TOKEN" }

[service.shop.endpoints.checkout]
url = "http://127.0.0.1:1/checkout"

[[service.shop.chat]]
kind = "slack"
[[service.shop.chat]]
kind = "discord"

[service.blog]
"""


def read(folder: Path, text: str, **environ: str) -> Settings:
    (folder / "stanch.toml").write_text(text, encoding="utf-8")
    return load(folder / "stanch.toml", environ)


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return caught.value.problems


def test_reads_what_is_written_and_resolves_paths_against_the_file(tmp_path: Path) -> None:
    settings = read(tmp_path, WHOLE)
    shop = settings.configured("shop")
    assert (settings.home, settings.model) == (tmp_path / "var", "openai:gpt-5")
    assert settings.clock == LabTime(kind="lab", file=tmp_path / "clock.json")
    assert (settings.budget.max_cost_usd, settings.budget.max_turns) == (1.5, limits.MAX_TURNS)
    assert (shop.service.repo, shop.service.tag_of("shop@1.2.0")) == (tmp_path / "code", "shop-1.2.0")
    assert shop.service.endpoints["checkout"].expect == 200
    assert [(b.family, b.table["kind"]) for b in shop.back_ends] == [
        ("tracker", "sentry"),
        ("chat", "slack"),
        ("chat", "discord"),
    ]
    assert settings.source.line(shop.back_ends[2].at) == 18


def test_bisect_has_a_table_of_its_own_and_reproduce_still_works(tmp_path: Path) -> None:
    old = read(tmp_path, '[service.shop]\nreproduce = ["old"]').services["shop"].service
    assert (old.reproduce, old.setup, old.regressions) == (("old",), (), None)
    table = '[service.shop.bisect]\ncommand = ["new"]\nsetup = ["npm", "ci"]\nregressions = "tests/regressions"'
    new = read(tmp_path, f'[service.shop]\nreproduce = ["old"]\n{table}').services["shop"].service
    assert (new.reproduce, new.setup, new.regressions) == (("new",), ("npm", "ci"), Path("tests/regressions"))
    both = '[service.shop.bisect]\nserve = ["npm", "start", "--", "{port}"]'
    served = read(tmp_path, both).services["shop"].service
    assert (served.serve, served.reproduce, new.serve) == (("npm", "start", "--", "{port}"), (), ())


def test_names_every_mistake_at_once_with_its_line_and_what_was_meant(tmp_path: Path) -> None:
    text = """\
[stanch]
max_turns = 1000
hom = "x"
clock = { kind = "sun" }
[service.shop]
trackr = { kind = "sentry" }
tag = "release"
chat = { kind = "slack" }
[service.shop.endpoints.checkout]
ulr = "http://127.0.0.1/"
[servce.blog]
"""
    assert problems(tmp_path, text) == snapshot(
        (
            "stanch.toml:2: stanch.max_turns: Input should be less than or equal to 60",
            "stanch.toml:3: stanch.hom: unknown key; did you mean `home`?",
            "stanch.toml:4: stanch.clock: unknown kind; there are 'wall', 'lab'",
            "stanch.toml:6: service.shop.trackr: unknown key; did you mean `tracker`?",
            "stanch.toml:7: service.shop.tag: write `{version}` once; in braces only `{service}` may stand beside it",
            "stanch.toml:8: service.shop.chat: a list; if it is of tables, head each with [[…]]",
            "stanch.toml:9: service.shop.endpoints.checkout.url: required, and not there",
            "stanch.toml:10: service.shop.endpoints.checkout.ulr: unknown key; did you mean `url`?",
            "stanch.toml:11: servce: unknown key; did you mean `service`?",
        )
    )


def test_what_waits_for_a_human_is_checked_key_by_key(tmp_path: Path) -> None:
    text = """\
[approvals.production]
change = "ask"
approvers = []
page = "ask"
irreversible = "auto"
[approvals]
within_min = 10
[service.shop]
[service.shop.approvals]
roolback = "never"
note = "perhaps"
approvers = ["Ada", " Grace"]
within_min = 31
[service.blog]
approvals = "ask"
"""
    found = [one.removeprefix("stanch.toml:") for one in problems(tmp_path, text)]
    assert found == snapshot(
        [
            "3: approvals.production.approvers: nobody could answer: name somebody, or leave this key out",
            "4: approvals.production.page: an escalation must get through (G8): leave this key out",
            "5: approvals.production.irreversible: `ask` or `never`: what cannot be undone waits for a human (G10)",
            "7: approvals.within_min: a table, as in [approvals.production]",
            "10: service.shop.approvals.roolback: unknown key; did you mean `rollback`?",
            "11: service.shop.approvals.note: Input should be 'auto', 'ask' or 'never'",
            "12: service.shop.approvals.approvers.1: a name has 1 to 80 printable characters, no blank around",
            "13: service.shop.approvals.within_min: Input should be less than or equal to 30",
            "15: service.blog.approvals: a table, as in [approvals.production]",
        ]
    )


def test_what_contradicts_is_refused_with_its_line(tmp_path: Path) -> None:
    text = """\
[service.shop.approvals]
rollback = "never"
[approvals.production]
hotfix = "ask"
[approvals.prod]
[[service.blog.page]]
"""
    found = [one.removeprefix("stanch.toml:") for one in problems(tmp_path, text)]
    assert found == snapshot(
        [
            "2: service.shop.approvals.rollback: `never`, and no human would hear of it: add [[service.shop.page]]",
            "4: approvals.production.hotfix: `ask`, and no human would hear of it: add [[service.shop.page]]",
            "5: approvals.prod: no service is in this environment; there are production",
        ]
    )


def test_a_service_has_the_policy_that_is_written(tmp_path: Path) -> None:
    text = """\
[approvals.production]
change = "ask"
[service.shop.approvals]
release = "auto"
approvers = ["Ada"]
[[service.shop.page]]
"""
    assert read(tmp_path, text).configured().policy == Policy(rollback=Leave.ASK, hotfix=Leave.ASK, approvers=("Ada",))


@pytest.mark.parametrize("ceiling", ["max_turns", "max_tokens", "max_cost_usd"])
def test_never_loosens_a_ceiling(tmp_path: Path, ceiling: str) -> None:
    most = limits.__dict__[ceiling.upper()]
    [problem] = problems(tmp_path, f"[stanch]\n{ceiling} = {most + 1}\n[service.shop]\n")
    assert problem.startswith(f"stanch.toml:2: stanch.{ceiling}: Input should be less than or equal to")


def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    assert "hunter2" not in str(problems(tmp_path, '[service.shop]\ntoken = "hunter2"\n'))
    assert "hunter2" not in repr(read(tmp_path, "[service.shop]\n", SENTRY="hunter2"))


def test_what_is_not_toml_or_not_there_says_what_to_do(tmp_path: Path) -> None:
    assert problems(tmp_path, "[service") == snapshot(
        ("stanch.toml: not TOML: Expected ']' at the end of a table declaration (at end of document)",)
    )
    assert problems(tmp_path, "") == snapshot(("stanch.toml:1: service: required, and not there",))
    with pytest.raises(ConfigError, match=r"other\.toml: cannot be read: No such file"):
        load(tmp_path / "other.toml")
    (tmp_path / "stanch.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "stanch.toml")


def test_the_nearest_file_above_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="`stanch init`"):
        load()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    read(tmp_path, "[service.shop]\n")
    monkeypatch.chdir(inner)
    found = load()
    assert (found.file, found.clock) == (tmp_path / "stanch.toml", WallTime())


def test_a_service_is_named_unless_there_is_only_one(tmp_path: Path) -> None:
    two = read(tmp_path, WHOLE)
    with pytest.raises(ConfigError, match="say which service: shop, blog"):
        two.configured()
    with pytest.raises(ConfigError, match="no service called `shp`: shop, blog"):
        two.configured("shp")
    assert read(tmp_path, "[service.shop]\n").configured().service.name == "shop"


def test_only_a_variable_that_holds_something_is_a_secret(tmp_path: Path) -> None:
    settings = read(tmp_path, "[service.shop]\n", A="a", EMPTY="")
    held = settings.secret("A")
    assert held is not None
    assert (held.get_secret_value(), settings.secret("EMPTY"), settings.secret("B")) == ("a", None, None)


@pytest.mark.parametrize(
    ("written", "environ", "model"),
    [
        (None, {}, "rules"),
        (None, {"ANTHROPIC_API_KEY": "k"}, MODEL),
        ("rules", {"ANTHROPIC_API_KEY": "k"}, "rules"),
        ("rules", {"STANCH_MODEL": "test"}, "test"),
    ],
)
def test_a_model_is_used_only_when_asked_for_or_when_its_key_is_there(
    written: str | None, environ: dict[str, str], model: str
) -> None:
    assert default_model(written, environ) == model


def test_whatever_the_environment_calls_secret_is_known_as_such() -> None:
    keys = {"AWS_SECRET_ACCESS_KEY": "b", "AWS_ACCESS_KEY_ID": "c"}
    secret = {"GITHUB_TOKEN": "a", "PGPASSWORD": "d", "SENTRY_DSN": "e", **keys}
    other = {"MAX_TOKENS": "100000", "TOKENIZERS_PARALLELISM": "false", "HOME": "/root", "EMPTY_TOKEN": ""}
    known = secrets({**secret, **other})
    assert {name: held.get_secret_value() for name, held in known.items()} == secret
    assert "'b'" not in repr(known)
