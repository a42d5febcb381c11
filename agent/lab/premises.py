"""Where a lab lives: its folder, its ports, and the files that its processes are started with."""

import json
import secrets
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from string import Template
from typing import Self

from pydantic import BaseModel, ConfigDict

import agent
from agent.lab import linear, pagerduty, slack
from agent.lab.history import SHOP
from agent.lab.tracker.project import Account

CODE = Path(agent.__file__).parent.parent
ACCOUNT = Account(key="6c61622d736f686f702d6b65790000aa", token="sntrys_lab")  # noqa: S106 - opens nothing but the lab
SECRETS = {
    "SENTRY_AUTH_TOKEN": ACCOUNT.token,
    "LINEAR_API_KEY": linear.TOKEN,
    "SLACK_BOT_TOKEN": slack.TOKEN,
    "PAGERDUTY_ROUTING_KEY": pagerduty.ROUTING_KEY,
}
"""What Stanch needs in its environment to work in the lab."""


class Premises(BaseModel):
    """One lab. `lab.json` in its home holds all of this, so that any process can find the lab again."""

    model_config = ConfigDict(frozen=True)

    home: Path
    scenario: str
    shop_port: int
    world_port: int
    supervisor_port: int
    password: str
    """Of the supervisor's control port."""

    @classmethod
    def claim(cls, home: Path, scenario: str) -> Self:
        """A new lab in `home`, on free ports. Raises FileExistsError unless `home` is empty or absent."""
        home.mkdir(parents=True, exist_ok=True)
        if any(home.iterdir()):
            raise FileExistsError(f"{home} is not empty; give the lab a folder of its own")
        shop, world, supervisor = _free_ports(3)
        claimed = cls(
            home=home.resolve(),
            scenario=scenario,
            shop_port=shop,
            world_port=world,
            supervisor_port=supervisor,
            password=secrets.token_hex(8),
        )
        (home / "lab.json").write_text(claimed.model_dump_json(), encoding="utf-8")
        return claimed

    @classmethod
    def find(cls, home: Path) -> Self:
        """The lab of `home`. Raises LookupError when there is none."""
        file = home / "lab.json"
        if not file.is_file():
            raise LookupError(f"no lab in {home}")
        return cls.model_validate_json(file.read_text(encoding="utf-8"))

    @property
    def shop(self) -> str:
        """Base URL of the service."""
        return f"http://127.0.0.1:{self.shop_port}"

    @property
    def world(self) -> str:
        """Base URL of everybody else: `/tracker`, `/linear`, `/slack`, `/pagerduty`, `/partner`."""
        return f"http://127.0.0.1:{self.world_port}"

    @property
    def tracker(self) -> str:
        """What the tracker answers of its one organization."""
        return f"{self.world}/tracker/api/0/organizations/{ACCOUNT.organization}"

    @property
    def dsn(self) -> str:
        """Where the service sends its errors."""
        return f"http://{ACCOUNT.key}@127.0.0.1:{self.world_port}/tracker/{ACCOUNT.project_id}"

    @property
    def clock(self) -> Path:
        """The world's clock."""
        return self.home / "clock.json"

    @property
    def repo(self) -> Path:
        """The service's work tree, for Stanch."""
        return self.home / "repo"

    @property
    def prod(self) -> Path:
        """`releases/<tag>/`, `current`, `deploys.jsonl` and the start script."""
        return self.home / "prod"

    @property
    def supervisor(self) -> list[str]:
        """The command that supervises from the background."""
        return [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", f"{self.home}/supervisord.conf"]

    @property
    def restart(self) -> list[str]:
        """The command that restarts the service in whatever `current` points to."""
        control = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisorctl"]
        return [*control, "-c", f"{self.home}/supervisord.conf", "restart", "shop"]

    def furnish(self, life_s: float) -> None:
        """Write the files that the lab's processes, and Stanch, are started with."""
        log = self.home / "log"
        log.mkdir()
        words = self._words() | {"log": str(log), "life_s": str(life_s)}
        conf = {name: word.replace("%", "%%") for name, word in words.items()}
        self._write("supervisord.conf", conf)
        self._write("stanch.toml", words)
        self._write("reproduce.py", {})
        self._write("pager.py", {})
        self._write("prod/serve.py", {})
        self._write("prod/remember.py", {})
        lines = [f"{name}={value}\n" for name, value in SECRETS.items()]
        (self.home / "lab.env").write_text("".join(lines), encoding="utf-8")

    def _words(self) -> dict[str, str]:
        return {
            "home": str(self.home),
            "prod": str(self.prod),
            "code": str(CODE),
            "python": sys.executable,
            "password": self.password,
            "shop": self.shop,
            "world": self.world,
            "dsn": self.dsn,
            "shop_port": str(self.shop_port),
            "supervisor_port": str(self.supervisor_port),
            "restart": json.dumps(self.restart),
            "organization": ACCOUNT.organization,
            "project": ACCOUNT.project,
            "team": linear.TEAM,
            "channel": slack.CHANNEL,
        }

    def _write(self, path: str, words: dict[str, str]) -> None:
        text = (SHOP / f"{Path(path).name}.txt").read_text(encoding="utf-8")
        (self.home / path).write_text(Template(text).substitute(words) if words else text, encoding="utf-8")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        listening = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in listening:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in listening]
