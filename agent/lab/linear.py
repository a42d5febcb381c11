"""Linear for the lab: its real GraphQL schema over issues kept in memory, and a page per issue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import TypeAlias
from uuid import uuid4

from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema
from graphql import graphql_sync as execute  # pyright: ignore[reportUnknownVariableType] - generics left open there
from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from agent.lab.standin import Now, here, stand_in, wall

TOKEN = "lin_api_lab"  # noqa: S105 - opens nothing but this stand-in
TEAM = "SHO"
STATES = (("Backlog", "backlog"), ("Todo", "unstarted"), ("In Progress", "started"), ("Shipped", "completed"))
"""Names and types. Names differ from team to team, so a client must go by the type."""
LABEL = "Incident"

Info: TypeAlias = "GraphQLResolveInfo[str]"
"""Its `context` is the base URL of the request."""
FILTER = TypeAdapter[dict[str, dict[str, str]]](dict[str, dict[str, str]])


class Asked(BaseModel):
    """One GraphQL request."""

    query: str
    variables: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class Link(BaseModel):
    """An attachment."""

    id: str
    url: str
    title: str


class Comment(BaseModel):
    """A comment."""

    id: str
    url: str
    body: str


class Issue(BaseModel):
    """An issue, flat: the resolvers give it the shape of the schema."""

    id: str
    number: int
    identifier: str
    url: str
    title: str
    description: str
    priority: int
    state: str
    """Id of one of STATES."""
    labels: list[str]
    created_at: str
    links: list[Link] = Field(default_factory=list[Link])
    comments: list[Comment] = Field(default_factory=list[Comment])


@cache
def schema() -> GraphQLSchema:
    """The vendored schema; takes about a second, once."""
    text = files("agent.lab").joinpath("schemas", "linear.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True, no_location=True)


def app(*, token: str = TOKEN, team: str = TEAM, now: Now = wall) -> Starlette:
    """Serves `POST /graphql` and `GET /issue/{identifier}`. Keeps `{"team", "issues": [Issue, …]}`."""
    desk, types = _Desk(team, now), schema()
    root = {
        "teams": desk.teams,
        "issues": desk.find,
        "comments": desk.find_comments,
        "issueCreate": desk.create,
        "issueUpdate": desk.update,
        "commentCreate": desk.comment,
        "attachmentLinkURL": desk.link,
    }

    async def answer(request: Request) -> Response:
        if request.headers.get("Authorization") != token:
            error = GraphQLError("Authentication required", extensions={"code": "AUTHENTICATION_ERROR"})
            return JSONResponse({"errors": [error.formatted]}, 401)
        try:
            asked = Asked.model_validate_json(await request.body())
        except ValidationError:
            return JSONResponse({"errors": [GraphQLError("Not a GraphQL request").formatted]}, 400)
        done = execute(types, asked.query, root, context_value=here(request), variable_values=asked.variables)
        return JSONResponse(done.formatted, 200 if _executed(done) else 400)

    async def read(request: Request) -> Response:
        named = (i for i in desk.issues if i.identifier == request.path_params["identifier"])
        issue = next(named, None)
        return HTMLResponse("no such issue", 404) if issue is None else HTMLResponse(_page(issue))

    return stand_in(
        [Route("/graphql", answer, methods=["POST"]), Route("/issue/{identifier}", read)],
        lambda: {
            "team": team,
            "issues": [{**i.model_dump(), "state": str(_state(i.state)["type"])} for i in desk.issues],
        },
    )


@dataclass(slots=True)
class _Desk:
    """The resolvers of the operations that Stanch sends."""

    team: str
    now: Now
    issues: list[Issue] = field(default_factory=list[Issue])

    def teams(self, _info: Info, **asked: object) -> dict[str, object]:
        return _nodes([self._team()] if _wanted(asked, "key") == self.team else [])

    def find(self, _info: Info, **asked: object) -> dict[str, object]:
        return _nodes([self._shown(i) for i in self.issues if i.id == _wanted(asked, "id")])

    def find_comments(self, _info: Info, **asked: object) -> dict[str, object]:
        return _nodes([c.model_dump() for i in self.issues for c in i.comments if c.id == _wanted(asked, "id")])

    def create(self, info: Info, *, input: dict[str, object]) -> dict[str, object]:  # noqa: A002 - the schema's word
        number = len(self.issues) + 1
        identifier = f"{self.team}-{number}"
        given: dict[str, object] = {
            "id": input.get("id", str(uuid4())),
            "number": number,
            "identifier": identifier,
            "url": f"{info.context}issue/{identifier}",
            "title": input["title"],
            "description": input.get("description", ""),
            "priority": input.get("priority", 0),
            "state": input.get("stateId", "state-0"),
            "labels": input.get("labelIds", []),
            "created_at": self.now().isoformat(),
        }
        issue = Issue.model_validate(given)
        if any(i.id == issue.id for i in self.issues):
            raise _wrong("Entity with this id already exists")
        if input["teamId"] != self._team()["id"]:
            raise _wrong("Entity not found: Team")
        self.issues.append(issue)
        return {"success": True, "lastSyncId": 1, "issue": self._shown(issue)}

    def update(self, _info: Info, *, id: str, input: dict[str, str]) -> dict[str, object]:  # noqa: A002 - the schema's
        issue = self._issue(id)
        issue.state = input.get("stateId", issue.state)
        return {"success": True, "lastSyncId": 1, "issue": self._shown(issue)}

    def comment(self, _info: Info, *, input: dict[str, str]) -> dict[str, object]:  # noqa: A002 - the schema's word
        issue, asked = self._issue(input["issueId"]), input.get("id", str(uuid4()))
        if any(c.id == asked for i in self.issues for c in i.comments):
            raise _wrong("Entity with this id already exists")
        comment = Comment(id=asked, body=input["body"], url=f"{issue.url}#comment-{asked[:8]}")
        issue.comments.append(comment)
        return {"success": True, "lastSyncId": 1, "comment": comment.model_dump()}

    def link(self, _info: Info, *, url: str, title: str = "", **asked: str) -> dict[str, object]:
        issue, link = self._issue(asked["issueId"]), Link(id=str(uuid4()), url=url, title=title or url)
        issue.links.append(link)
        return {"success": True, "lastSyncId": 1, "attachment": link.model_dump()}

    def _issue(self, asked: str) -> Issue:
        for issue in self.issues:
            if asked in {issue.id, issue.identifier}:
                return issue
        raise _wrong("Entity not found: Issue")

    def _team(self) -> dict[str, object]:
        return {
            "id": f"team-{self.team}",
            "key": self.team,
            "name": "Shop",
            "states": _nodes([_state(f"state-{n}") for n in range(len(STATES))]),
            "labels": _labels,
        }

    def _shown(self, issue: Issue) -> dict[str, object]:
        return {
            **issue.model_dump(),
            "createdAt": issue.created_at,
            "updatedAt": issue.created_at,
            "team": self._team(),
            "state": _state(issue.state),
            "attachments": _nodes([link.model_dump() for link in issue.links]),
            "comments": _nodes([comment.model_dump() for comment in issue.comments]),
        }


def _labels(_info: Info, **asked: object) -> dict[str, object]:
    return _nodes([{"id": "label-0", "name": LABEL}] if _wanted(asked, "name") == LABEL else [])


def _state(asked: str) -> dict[str, object]:
    """The state of this id. Raises GraphQLError."""
    for n, (name, kind) in enumerate(STATES):
        if asked == f"state-{n}":
            return {"id": asked, "name": name, "type": kind, "position": n}
    raise _wrong("Entity not found: WorkflowState")


def _nodes(nodes: Sequence[object]) -> dict[str, object]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": False, "hasPreviousPage": False}}


def _wanted(asked: Mapping[str, object], name: str) -> str | None:
    """What `filter: {name: {eq: …}}` asks for."""
    return FILTER.validate_python(asked.get("filter", {})).get(name, {}).get("eq")


def _wrong(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "INPUT_ERROR", "type": "invalid input", "userError": True})


def _executed(done: ExecutionResult) -> bool:
    """Whether the request was valid, so that what went wrong has a place in the answer."""
    return all(error.path for error in done.errors or ())


def _page(issue: Issue) -> str:
    links = "".join(f'<li><a href="{escape(link.url)}">{escape(link.title)}</a>' for link in issue.links)
    comments = "".join(f"<hr><pre>{escape(comment.body)}</pre>" for comment in issue.comments)
    head = f"{issue.identifier} {escape(issue.title)}"
    state = _state(issue.state)["name"]
    return f"<title>{head}</title><h1>{head}</h1><p>{state}</p><pre>{escape(issue.description)}</pre>{links}{comments}"
