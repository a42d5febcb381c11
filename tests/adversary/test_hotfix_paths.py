"""A hotfix says what it takes back for good, the first time and when it is asked for again."""

from dataclasses import dataclass
from pathlib import Path

from tests.repository import asked, history, site
from tools.contract import Ports
from tools.deploys.base import Deploys
from tools.hotfix import hotfix_prepare
from tools.observed import ChangeKind, Deployed, Deployment, Deployments
from tools.site import Case, Service, Site


@dataclass(frozen=True)
class Runs:
    """A production in which v1.1.0 runs."""

    site: Site

    async def status(self) -> Deployments:
        at = self.site.clock.now()
        return Deployments(at=at, current="v1.1.0", history=(Deployment(release="v1.1.0", at=at, healthy=True),))

    async def deploy(self, change: ChangeKind, to: str) -> Deployed:
        raise NotImplementedError(change, to)

    async def check(self) -> str:
        return "stands in"


def test_reverting_a_migration_is_said(tmp_path: Path) -> None:
    repo = history(tmp_path / "shop")
    repo.commit("Begin", {"shop.py": "a\n"}, tag="v1.0.0")
    culprit = repo.commit("Add a column", {"db/migrations/7.sql": "alter\n", "shop.py": "b\n"}, tag="v1.1.0")
    at = site(Service("shop", repo.path, irreversible=("db/migrations/",), tests=("true",)), tmp_path / "home")
    ports: Ports = {Deploys: Runs(at), Site: at, Case: Case("shop-1")}
    for _ in range(2):
        made = asked(hotfix_prepare, ports, {"culprit": culprit, "kind": "revert"})
        assert made.irreversible == ("db/migrations/7.sql",)
