"""The part of Sentry's `/api/0` that Stanch reads, answered from the store."""

from collections import Counter

from pydantic import JsonValue, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent.lab.tracker import events, issues, project
from agent.lab.tracker.asked import issue_ids, page, terms, window
from agent.lab.tracker.envelope import Json
from agent.lab.tracker.project import Account
from agent.lab.tracker.store import EVERY, Group, Store, minute

_BODY = TypeAdapter(Json)


class Desk:
    """One method for each endpoint."""

    def __init__(self, store: Store, account: Account) -> None:
        self.store = store
        self.account = account

    async def projects(self, request: Request) -> Response:
        """The one project, unless the query names another."""
        row = project.project(self.store, self.account)
        return page(request, [row] if all(word in self.account.project for word in terms(request)) else [])

    async def issues(self, request: Request) -> Response:
        """Issues with events in the window, sorted as asked."""
        within = window(request, self.store.clock.now())
        match terms(request, "is:unresolved"):
            case []:
                wanted = [True, False]
            case ["is:unresolved"]:
                wanted = [False]
            case ["is:resolved"]:
                wanted = [True]
            case _:
                raise HTTPException(400, "Invalid query: this tracker knows is:unresolved and is:resolved only")
        counted = [(group.within(within)[EVERY], group) for group in self.store.groups.values()]
        found = [pair for pair in counted if pair[0] and (pair[1].resolved_in is not None) in wanted]
        by_count = request.query_params.get("sort", "date") == "freq"
        found.sort(key=lambda pair: pair[0] if by_count else pair[1].life.last.timestamp(), reverse=True)
        return page(request, [issues.listed(group, within, self.account) for _, group in found])

    async def issue(self, request: Request) -> Response:
        """GET: the issue. PUT: resolve or reopen it."""
        group = self._group(request)
        if request.method != "PUT":
            return JSONResponse(issues.detailed(group, self.account))
        match await _body(request):
            case {"status": "resolved", "statusDetails": {"inRelease": str(version)}}:
                if version not in self.store.releases:
                    raise HTTPException(400, "Unable to find a release with the given version.")
                group.resolved_in = version
            case {"status": "resolved"}:
                group.resolved_in = ""
            case {"status": "unresolved"}:
                group.resolved_in = None
            case _:
                raise HTTPException(400, "this tracker only resolves and reopens")
        return JSONResponse(issues.mutated(group, self.account))

    async def events(self, request: Request) -> Response:
        """The issue's last events in the window, newest first."""
        group, within = self._group(request), window(request, self.store.clock.now())
        kept = [event for event in group.newest_first() if minute(event.timestamp) in within.minutes]
        return page(request, [events.row(event, group, self.account) for event in kept])

    async def event(self, request: Request) -> Response:
        """One event, by id or as `latest`, `recommended` or `oldest` of those kept."""
        group, name = self._group(request), request.path_params["event"]
        kept = group.newest_first()
        places = {"latest": kept[:1], "recommended": kept[:1], "oldest": kept[-1:]}
        found = places.get(name, [event for event in kept if event.event_id == name])
        if not found:
            raise HTTPException(404, "Event not found")
        return JSONResponse(events.whole(found[0], group, self.account))

    async def tag(self, request: Request) -> Response:
        """Distribution of one tag over the issue's life."""
        return JSONResponse(issues.tag_key(self._group(request), request.path_params["key"]))

    async def tag_values(self, request: Request) -> Response:
        """Every value of one tag, most frequent first."""
        key = request.path_params["key"]
        values = self._group(request).life_of(key)
        return page(request, [issues.tag_value(key, value, seen) for value, seen in values])

    async def table(self, request: Request) -> Response:
        """Errors of the window by issue and one more field: `field=issue.id&field=X&field=count()`, most first."""
        match request.query_params.getlist("field"):
            case ["issue.id", name, "count()"] if request.query_params.get("dataset") == "errors":
                key = {"user.id": "user"}.get(name, name.removeprefix("tags[").removesuffix("]"))
            case _:
                raise HTTPException(400, "this tracker knows field=issue.id&field=X&field=count() of errors only")
        within, counted = window(request, self.store.clock.now()), list[tuple[int, int, str]]()
        for number in issue_ids(terms(request)):
            group = self.store.groups.get(number)
            seen = group.within(within).items() if group else ()
            counted += [(count, number, value) for (facet, value), count in seen if facet == key]
        counted.sort(reverse=True)
        bare = "id:" if name == "user.id" else ""
        rows: list[JsonValue] = [{"issue.id": n, name: v.removeprefix(bare), "count()": c} for c, n, v in counted]
        return page(request, rows, body="data")

    async def timeseries(self, request: Request) -> Response:
        """Errors (all, or of some issues) or traffic, by the minute."""
        asked, words, now = request.query_params, terms(request), self.store.clock.now()
        y_axis = asked.get("yAxis", "count()")
        counts: Counter[int]
        match asked.get("dataset"), y_axis, words:
            case "errors", "count()", []:
                counts = self.store.errors
            case "errors", "count()", _:
                chosen = [self.store.groups[number] for number in issue_ids(words) if number in self.store.groups]
                counts = self.store.events_of(chosen)
            case "spans", "count(span.duration)", ["is_transaction:true"]:
                counts = self.store.traffic
            case _:
                raise HTTPException(400, "this tracker has no such series")
        if asked.get("interval") != "60":
            raise HTTPException(400, "this tracker counts by the minute: interval=60")
        return JSONResponse(project.timeseries(counts, window(request, now), now, asked["dataset"], y_axis))

    async def releases(self, request: Request) -> Response:
        """Newest first."""
        versions = reversed(self.store.releases)
        return page(request, [project.release(version, self.store, self.account) for version in versions])

    async def deploys(self, request: Request) -> Response:
        """GET: deploys of a release, newest first. POST: one more, now."""
        version = request.path_params["version"]
        if request.method == "POST":
            body, now = await _body(request), self.store.clock.now()
            self.store.releases.setdefault(version, now)
            made = self.store.deploys.setdefault(version, [])
            made.append((str(body.get("environment", self.account.environment)), now))
            return JSONResponse(project.deploy(len(made), *made[-1]), 201)
        made = self.store.deploys.get(version, [])
        return page(request, [project.deploy(number, *one) for number, one in enumerate(made, 1)][::-1])

    def _group(self, request: Request) -> Group:
        group = self.store.groups.get(request.path_params["id"])
        if not group:
            raise HTTPException(404, "The requested resource does not exist")
        return group


async def _body(request: Request) -> Json:
    try:
        return _BODY.validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(400, "JSON parse error") from error
