"""Back ends are found by the names of their files, and every mistake in a table is named before one is opened."""

from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from agent.core.errors import ConfigError
from agent.lab.clock import LabClock
from agent.settings import Settings, load
from agent.wiring import FAMILIES, clock, connect_service, effects, kinds
from tools.deploys.base import Deploys
from tools.site import Case

SHOP = """\
[service.shop]
[service.shop.deploy]
kind = "release_dirs"
root = "live"
restart = ["true"]
health = "http://127.0.0.1:9/health"
"""


def read(folder: Path, text: str, **environ: str) -> Settings:
    (folder / "stanch.toml").write_text(text, encoding="utf-8")
    return load(folder / "stanch.toml", environ)


def problems(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        connect_service(read(folder, text, **environ))
    return list(caught.value.problems)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_file_of_a_family_is_a_kind(family: str) -> None:
    folder = Path(__file__).parent.parent.joinpath(*FAMILIES[family].package.split("."))
    files = {path.stem for path in folder.iterdir()}
    assert set(kinds(family)) == files - {"base", "__init__", "__pycache__"}
    for kind in kinds(family):
        module = import_module(f"{FAMILIES[family].package}.{kind}")
        assert get_args(module.Settings.model_fields["kind"].annotation) == (kind,)
        assert callable(module.connect)


def test_a_tool_is_there_when_its_ports_are(tmp_path: Path) -> None:
    connected = connect_service(read(tmp_path, SHOP))
    assert Deploys in connected.ports
    assert {"deploy_rollback", "git_log", "memory_recall"} <= connected.tools.keys()
    assert connected.absent["sentry_picture"] == ("Tracker",)
    assert connected.tools.keys() | connected.absent.keys() == effects().keys()


def test_a_tool_is_bound_to_one_case(tmp_path: Path) -> None:
    bound = connect_service(read(tmp_path, SHOP)).bind(Case("shop-1"))
    assert Case("shop-1") in bound["memory_remember"].ports


def test_every_mistake_of_every_table_is_named(tmp_path: Path) -> None:
    text = """\
[service.shop]
tracker = { kind = "sentri" }
[service.shop.deploy]
kind = "release_dirs"
rot = "live"
restart = ["deploy", "--force"]
health = "http://127.0.0.1:9/"
[service.shop.ticket]
kind = "linear"
team = "SHO"
[[service.shop.chat]]
channel = "C024BE91LXY"
"""
    assert problems(tmp_path, text) == [
        f"stanch.toml:2: service.shop.tracker.kind: unknown kind `sentri`; there are {', '.join(kinds('tracker'))}",
        "stanch.toml:3: service.shop.deploy.root: required, and not there",
        "stanch.toml:5: service.shop.deploy.rot: unknown key; did you mean `root`?",
        "stanch.toml:6: service.shop.deploy.restart: `--force` skips a check; Stanch never does (G5)",
        "stanch.toml:8: service.shop.ticket.token_env: LINEAR_API_KEY is not set: export LINEAR_API_KEY=… first",
        f"stanch.toml:11: service.shop.chat.0.kind: `kind` is required; there are {', '.join(kinds('chat'))}",
    ]


def test_a_lab_clock_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = f'[stanch]\nclock = {{ kind = "lab", file = "clock.json" }}\n{SHOP}'
    [problem] = problems(tmp_path, text)
    assert problem.startswith("stanch.toml:2: stanch.clock.file: no clock in")
    LabClock.set_going(tmp_path / "clock.json", speed=60)
    assert clock(read(tmp_path, text)).wall_s(60) == 1


def test_the_wall_clock_is_the_default(tmp_path: Path) -> None:
    wall = clock(read(tmp_path, SHOP))
    assert (wall.wall_s(60), wall.now().utcoffset()) == (60, timedelta(0))


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    assert "cannot be made" in problems(tmp_path, f'[stanch]\nhome = "taken/home"\n{SHOP}')[0]
