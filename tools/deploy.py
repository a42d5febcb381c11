"""Deploy: what runs, and putting another release into production."""

from typing import ClassVar

from pydantic import Field

from tools.contract import Args, Effect, tool
from tools.deploys.base import Deploys, standing
from tools.observed import Change, ChangeKind, Deployed, Deployments


class Nothing(Args):
    """No arguments."""


class Rollback(Change):
    """Which earlier release to put back."""

    change: ClassVar[ChangeKind] = ChangeKind.ROLLBACK


class Hotfix(Change):
    """Which prepared hotfix to ship."""

    change: ClassVar[ChangeKind] = ChangeKind.HOTFIX
    fixes: str = Field(min_length=7, max_length=64, description="Sha of the culprit that it reverts or patches.")


class Release(Change):
    """Which new release to ship."""

    change: ClassVar[ChangeKind] = ChangeKind.RELEASE


def _key(args: Change) -> str:
    return f"{args.change}:{args.to}"


async def _happened(args: Change, deploys: Deploys) -> Deployed | None:
    return standing(await deploys.status(), args.change, args.to)


@tool(Effect.READ, timeout_s=30)
async def deploy_status(_args: Nothing, deploys: Deploys) -> Deployments:
    """Say which release runs in production, and which ran before, when, and whether each was healthy.

    Use it first: most incidents begin with a deploy, and a rollback needs a release that was healthy.
    Example: {}
    """
    return await deploys.status()


@tool(Effect.CHANGE, timeout_s=600, key=_key, probe=_happened)
async def deploy_rollback(args: Rollback, deploys: Deploys) -> Deployed:
    """Put an earlier release back into production and wait for its health check.

    Use it first when many users are affected: the newest release that was healthy and lacks the error. Once only; if
    it fails, humans are paged and nothing more is deployed.
    Example: {"to": "v1.7.0"}
    """
    return await deploys.deploy(ChangeKind.ROLLBACK, args.to)


@tool(Effect.CHANGE, timeout_s=600, key=_key, probe=_happened)
async def deploy_hotfix(args: Hotfix, deploys: Deploys) -> Deployed:
    """Put a hotfix that `hotfix_prepare` has tagged into production, past the merge queue, never past a check.

    Use it when few users are affected and the fix is known; otherwise roll back.
    Example: {"to": "v1.8.1", "fixes": "3f2a9c1d77aa"}
    """
    return await deploys.deploy(ChangeKind.HOTFIX, args.to)


@tool(Effect.CHANGE, timeout_s=600, key=_key, probe=_happened)
async def deploy_release(args: Release, deploys: Deploys) -> Deployed:
    """Put a new release into production and wait for its health check.

    Use it to ship, not to stop an incident.
    Example: {"to": "v1.9.0"}
    """
    return await deploys.deploy(ChangeKind.RELEASE, args.to)
