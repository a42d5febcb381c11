"""Sentry, by its public API. Checked against Sentry's OpenAPI file and driven by the real sentry-sdk in tests."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote

from pydantic import JsonValue

from tools.contract import Options, ToolFailed, Unreachable
from tools.http import client
from tools.observed import Issue, Picture, Point, Signal
from tools.site import Site
from tools.trackers.base import BODY, IssueDetail, Tracker, harmless
from tools.trackers.sentry import wire
from tools.trackers.sentry.line import AT_ONCE, Line, Params, together

TOP = 10
VALUES = 20
"""Most values of a tag that are shown; users have a bound of their own."""
USERS = 100
HOUR, OLDEST = timedelta(hours=1), timedelta(hours=6)
"""Longest series that is read."""


class Settings(Options):
    """`[tracker]` with `kind = "sentry"`. The token needs the scopes event:read, org:read, project:read."""

    kind: Literal["sentry"] = "sentry"
    url: str = "https://sentry.io"
    """Of the region or the own host, e.g. `https://de.sentry.io`."""
    organization: str
    project: str
    token_env: str = "SENTRY_AUTH_TOKEN"  # noqa: S105 - the name of a variable, not its value
    org_tag: str = "org"
    """The tag that says which customer's organization an event belongs to."""
    region_tag: str = "region"
    traffic: bool = True
    """Off for a Sentry without the spans dataset: then nothing is known about traffic."""


def connect(settings: Settings, site: Site) -> Tracker:
    """The tracker of one service."""
    return Sentry(settings, site)


class Sentry:
    """One project of one organization. A picture is about fifty requests, AT_ONCE at a time."""

    def __init__(self, settings: Settings, site: Site) -> None:
        self.settings = settings
        self.site = site

    async def picture(self, window_min: int = 15) -> Picture:
        """Counts are those of the window; first and last times, first release and releases are of the whole life."""
        at, window = self.site.clock.now(), {"statsPeriod": f"{window_min}m"}
        hour = _span(at - HOUR, at)
        async with self._line() as line:
            project = await self._project(line)
            params = self._scope(project) | window | {"query": "is:unresolved", "sort": "freq", "limit": 100}
            rows = [row async for page in line.pages("issues/", wire.ROWS, params) for row in page]
            shown = top(rows, at - HOUR)
            async with together() as group:
                errors = group.create_task(self._errors(line, project, hour, ()))
                traffic = group.create_task(self._traffic(line, project, hour))
                facets = group.create_task(self._facets(line, project, window, [row.id for row in shown]))
                looks = [group.create_task(self._issue(line, project, hour, row)) for row in shown]
        return Picture(
            at=at,
            window_min=window_min,
            issues=tuple(look.result().model_copy(update=facets.result().get(look.result().id)) for look in looks),
            more_issues=len(rows) - len(shown),
            errors=errors.result(),
            traffic=traffic.result(),
        )

    async def issue(self, issue: str) -> IssueDetail:
        """Its latest event."""
        async with self._line() as line, together() as group:
            about = group.create_task(line.get(_issue(issue), wire.DETAIL, {}))
            latest = group.create_task(line.get(_issue(issue, "events/latest/"), wire.EVENT, self._where))
        detail, event = about.result(), latest.result()
        tags = event.tagged()
        release = tags.get("release")
        return IssueDetail(
            id=issue,
            title=str(harmless(detail.title)),
            url=detail.permalink,
            event=event.event_id,
            at=event.date_created,
            release=release and self.site.service.tag_of(release),
            chain=event.chain(),
            libraries=event.libraries(),
            request=event.request(),
            tags=tags,
        )

    async def signal(self, issues: tuple[str, ...], since: datetime | None = None) -> Signal:
        """From the start of the minute of `since`."""
        now = self.site.clock.now()
        span = _span(since or now - HOUR, now)
        async with self._line() as line:
            project = await self._project(line)
            async with together() as group:
                incident = group.create_task(self._errors(line, project, span, issues)) if issues else None
                errors = group.create_task(self._errors(line, project, span, ()))
                traffic = group.create_task(self._traffic(line, project, span))
        own = incident.result() if incident else ()
        return Signal(at=now, issues=issues, incident=own, errors=errors.result(), traffic=traffic.result())

    async def event(self, issue: str) -> dict[str, JsonValue]:
        """Of its latest event."""
        async with self._line() as line:
            event = await line.get(_issue(issue, "events/latest/"), wire.EVENT, self._where)
        user: JsonValue = {"id": (event.user or {}).get("id")}
        caught = event.chain()[:1]
        raised: JsonValue = caught[0].model_dump(mode="json") if caught else {}
        return {"request": event.request(BODY), "user": user, "tags": {**event.tagged()}, "exception": raised}

    async def resolve(self, issue: str, release: str) -> None:
        """Left alone when it is resolved already."""
        body: JsonValue = {
            "status": "resolved",
            "statusDetails": {"inRelease": self.site.service.release_of(release)},
        }
        async with self._line() as line:
            if (await line.get(_issue(issue), wire.DETAIL, {})).status != "resolved":
                await line.ask(_issue(issue), {}, method="PUT", body=body)

    async def check(self) -> str:
        """Reads what a picture reads first."""
        async with self._line() as line:
            project = await self._project(line)
            await line.get("issues/", wire.ROWS, self._scope(project) | {"statsPeriod": "1h", "limit": 1})
        transactions = "sends transactions" if project.first_transaction_event else "sends no transactions"
        return f"reads project {project.slug} (id {project.id}) of {self.settings.organization}, which {transactions}"

    @asynccontextmanager
    async def _line(self) -> AsyncGenerator[Line]:
        name = self.settings.token_env
        if name not in self.site.secrets:
            raise Unreachable("sentry", f"there is no token: set {name}")
        headers = {"Authorization": f"Bearer {self.site.secrets[name].get_secret_value()}"}
        base = f"{self.settings.url.rstrip('/')}/api/0/organizations/{quote(self.settings.organization, safe='')}/"
        async with client(base, headers) as http:
            yield Line(http, name, asyncio.Semaphore(AT_ONCE))

    async def _project(self, line: Line) -> wire.Project:
        """Looked up each time: no rows prove nothing unless the project is seen. Raises Unreachable when it is not."""
        name = self.settings.project
        async for page in line.pages("projects/", wire.PROJECTS, {"query": name}):
            for project in page:
                if project.slug == name:
                    return project
        hint = f"project {name} is not visible: check `project`, or give {self.settings.token_env} project:read"
        raise Unreachable("sentry", hint)

    @property
    def _where(self) -> dict[str, str | int | list[str]]:
        return {"environment": self.site.service.environment}

    def _scope(self, project: wire.Project) -> dict[str, str | int | list[str]]:
        return self._where | {"project": project.id}

    async def _errors(
        self, line: Line, project: wire.Project, span: Params, issues: Sequence[str]
    ) -> tuple[Point, ...]:
        """Error events by the minute, of all issues when none is given."""
        query = {"query": _about(issues)} if issues else {}
        params = {"dataset": "errors", "yAxis": "count()", "interval": 60, **span, **query}
        return (await line.get("events-timeseries/", wire.TIMESERIES, self._scope(project) | params)).points()

    async def _traffic(self, line: Line, project: wire.Project, span: Params) -> tuple[Point, ...]:
        """Transactions by the minute, from the spans dataset; empty for a project that never sent one."""
        if not (self.settings.traffic and project.first_transaction_event):
            return ()
        params = {"dataset": "spans", "yAxis": "count(span.duration)", "query": "is_transaction:true", "interval": 60}
        return (
            await line.get("events-timeseries/", wire.TIMESERIES, {**self._scope(project), **params, **span})
        ).points()

    async def _facets(
        self, line: Line, project: wire.Project, window: Params, issues: Sequence[str]
    ) -> dict[str, dict[str, object]]:
        """Fields of Issue by issue id: one table for each facet serves all issues."""
        if not issues:
            return {}
        fields = {
            "features": "transaction",
            "orgs": f"tags[{self.settings.org_tag}]",
            "regions": f"tags[{self.settings.region_tag}]",
            "user_ids": "user.id",
        }
        common = {"dataset": "errors", "sort": "-count()", "per_page": 100, "query": _about(issues), **window}
        found: dict[str, dict[str, object]] = {issue: {} for issue in issues}

        async def fill(name: str, column: str) -> None:
            params = {**self._scope(project), **common, "field": ["issue.id", column, "count()"]}
            rows = [row async for table in line.pages("events/", wire.TABLE, params) for row in table.data]
            for issue in issues:
                own = [(row.value(column), row.count) for row in rows if str(row.issue) == issue and row.value(column)]
                found[issue][name] = (
                    tuple(user for user, _ in own[:USERS]) if name == "user_ids" else dict(own[:VALUES])
                )

        async with together() as group:
            for name, column in fields.items():
                group.create_task(fill(name, column))
        return found

    async def _issue(self, line: Line, project: wire.Project, hour: Params, row: wire.Row) -> Issue:
        """Without its facets."""
        tag_of, where = self.site.service.tag_of, self._where
        async with together() as group:
            about = group.create_task(line.get(_issue(row.id), wire.DETAIL, {}))
            latest = group.create_task(line.get(_issue(row.id, "events/latest/"), wire.EVENT, where))
            series = group.create_task(self._errors(line, project, hour, (row.id,)))
            tags = group.create_task(
                line.get(_issue(row.id, "tags/release/values/"), wire.TAGS, {**where, "sort": "-count"})
            )
        detail, chain = about.result(), latest.result().chain()
        frames = [frame for raised in chain for frame in raised.frames]
        return Issue(
            id=row.id,
            short_id=row.short_id,
            title=str(harmless(row.title)),
            url=row.permalink,
            events=row.count,
            users=row.user_count,
            first_seen=detail.first_seen,
            last_seen=detail.last_seen,
            first_release=detail.first_release and tag_of(detail.first_release),
            releases={tag_of(tag.value): tag.count or 0 for tag in tags.result() if tag.value},
            top_frame=frames[0] if frames else None,
            series=series.result(),
        )


def top(rows: Sequence[wire.Row], since: datetime) -> list[wire.Row]:
    """TOP rows, in their order. Up to half of the places are for new ones, which noisy old ones would hide."""
    young = [row for row in rows[TOP:] if row.first_seen and row.first_seen >= since][: TOP // 2]
    return [*rows[: TOP - len(young)], *young]


def _issue(issue: str, rest: str = "") -> str:
    return f"issues/{quote(issue, safe='')}/{rest}"


def _about(issues: Sequence[str]) -> str:
    """The search for the events of these issues."""
    if odd := [issue for issue in issues if not issue.isdecimal()]:
        raise ToolFailed("sentry", f"{odd[0][:40]!r} is no issue id: use the numeric `id` that sentry_picture shows")
    return f"issue.id:[{','.join(issues)}]"


def _span(since: datetime, now: datetime) -> Params:
    """Whole minutes from `since`, OLDEST at most, until now; as Sentry reads times: UTC, without saying so."""
    start = min(max(since, now - OLDEST), now - timedelta(minutes=1)).replace(second=0, microsecond=0)
    return {key: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") for key, at in (("start", start), ("end", now))}
