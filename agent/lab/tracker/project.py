"""Sentry's JSON about a project: itself, its series, its releases and their deploys."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from agent.lab.tracker.envelope import Json
from agent.lab.tracker.store import Store, Window, minute


@dataclass(frozen=True, slots=True)
class Account:
    """The one organization and project that the tracker serves, and what opens it."""

    key: str
    """Of the DSN, for ingest: `http://<key>@host/<project_id>`."""
    token: str
    """Bearer of `/api/0`."""
    organization: str = "acme"
    project: str = "shop"
    project_id: int = 1
    environment: str = "production"


def stamp(at: datetime) -> str:
    """A time as Sentry writes it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def timeseries(counts: Counter[int], window: Window, now: datetime, dataset: str, y_axis: str) -> Json:
    """One series by the minute; the bucket still running is `incomplete`. Timestamps are milliseconds."""
    running = minute(now)
    values: list[JsonValue] = [
        {"timestamp": at * 60_000, "value": counts[at], "incomplete": at >= running} for at in window.minutes
    ]
    meta: Json = {"valueType": "integer", "valueUnit": None, "interval": 60_000}
    start, end = window.start * 60_000, window.end * 60_000
    return {
        "meta": {"dataset": dataset, "start": start, "end": end},
        "timeSeries": [{"values": values, "yAxis": y_axis, "meta": meta}],
    }


def release(version: str, store: Store, account: Account) -> Json:
    """A row of the releases list."""
    package, _, number = version.rpartition("@")
    created, deploys = stamp(store.releases[version]), len(store.deploys.get(version, ()))
    new = sum(group.first_release == version for group in store.groups.values())
    project: Json = {**identity(account), "id": account.project_id, "platforms": ["python"], "hasHealthData": False}
    return {
        "id": list(store.releases).index(version) + 1,
        "version": version,
        "newGroups": new,
        "status": "open",
        "shortVersion": number,
        "versionInfo": {
            "package": package or None,
            "version": {"raw": number},
            "buildHash": None,
            "description": number,
        },
        "data": {},
        "commitCount": 0,
        "deployCount": deploys,
        "dateCreated": created,
        "authors": [],
        "projects": [{**project, "newGroups": new}],
    }


def deploy(number: int, environment: str, at: datetime) -> Json:
    """One deploy of a release."""
    when = stamp(at)
    return {
        "id": str(number), "environment": environment, "dateStarted": when, "dateFinished": when,
        "name": None, "url": None,
    }  # fmt: skip


def project(store: Store, account: Account) -> Json:
    """A row of the organization's projects."""
    absent = (
        "Feedbacks Flags MinifiedStackTrace Monitors NewFeedbacks Profiles Replays Sessions InsightsHttp InsightsDb "
        "InsightsAssets InsightsAppStart InsightsScreenLoad InsightsVitals InsightsCaches InsightsQueues "
        "InsightsAgentMonitoring InsightsMCP Logs TraceMetrics UserReports"
    )
    latest = next(reversed(store.releases), None)
    first = min((group.life.first for group in store.groups.values()), default=None)
    return {
        **identity(account),
        **{f"has{name}": False for name in absent.split()},
        "dateCreated": stamp(store.clock.now()),
        "isBookmarked": False,
        "isMember": True,
        "hasAccess": True,
        "features": [],
        "access": ["event:read", "org:read", "project:read"],
        "firstEvent": first and stamp(first),
        "firstTransactionEvent": bool(store.traffic),
        "team": None,
        "teams": [],
        "platforms": ["python"],
        "environments": [account.environment],
        "latestRelease": {"version": latest} if latest else None,
    }


def identity(account: Account) -> Json:
    """The project as other shapes quote it."""
    return {"id": str(account.project_id), "slug": account.project, "name": account.project, "platform": "python"}
