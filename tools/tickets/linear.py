"""Tickets in Linear: GraphQL, with ids that we choose, so that no retry makes a second ticket or comment."""

import uuid
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final, Generic, Literal, NoReturn, TypeVar

import httpx
from pydantic import BaseModel, Field, JsonValue, SecretStr, TypeAdapter

from tools.contract import Options, ToolFailed, Unreachable
from tools.http import client, read, send
from tools.observed import Noted
from tools.site import Site
from tools.tickets.base import Draft, Tickets

TICKET: Final = """fragment Ticket on Issue {
  id identifier url title attachments(first: 50) { nodes { url } } team { states { nodes { id type position } } }
}"""
FIND: Final = f"""query($id: ID!) {{
  it: issues(filter: {{id: {{eq: $id}}}}, first: 1, includeArchived: true) {{ nodes {{ ...Ticket }} }}
}} {TICKET}"""
TEAM: Final = """query($key: String!, $label: String!) {
  it: teams(filter: {key: {eq: $key}}, first: 1) {
    nodes { id states { nodes { id type position } } labels(filter: {name: {eq: $label}}, first: 1) { nodes { id } } }
  }
}"""
CREATE: Final = f"""mutation($input: IssueCreateInput!) {{
  it: issueCreate(input: $input) {{ issue {{ ...Ticket }} }}
}} {TICKET}"""
LINK: Final = """mutation($issue: String!, $url: String!, $title: String!) {
  it: attachmentLinkURL(issueId: $issue, url: $url, title: $title) { success }
}"""
COMMENT: Final = "mutation($input: CommentCreateInput!) { it: commentCreate(input: $input) { success } }"
COMMENTED: Final = "query($id: ID!) { it: comments(filter: {id: {eq: $id}}, first: 1) { nodes { id } } }"
CLOSE: Final = """mutation($issue: String!, $state: String!) {
  it: issueUpdate(id: $issue, input: {stateId: $state}) { success }
}"""
NAME: Final = "linear"

T = TypeVar("T")


class Settings(Options):
    """`[[tickets]]` of kind linear."""

    kind: Literal["linear"]
    team: str
    """The team's key: what stands before the number of an issue, e.g. `SHO`."""
    label: str = ""
    """Put on every ticket if the team has it."""
    url: str = "https://api.linear.app/graphql"
    token_env: str = "LINEAR_API_KEY"  # noqa: S105 - the name of a variable


class _Id(BaseModel):
    id: str


class _Url(BaseModel):
    url: str


class _Nodes(BaseModel, Generic[T]):
    nodes: list[T]


class _State(_Id):
    type: str
    position: float


class _States(BaseModel):
    states: _Nodes[_State]

    def done(self) -> str:
        """Id of the first state that means done: names vary, types do not. Raises ToolFailed."""
        completed = [state for state in self.states.nodes if state.type == "completed"]
        if not completed:
            raise ToolFailed(NAME, "the team has no state of type completed; a human must close the ticket")
        return min(completed, key=lambda state: state.position).id


class _Team(_States, _Id):
    labels: _Nodes[_Id]


class _Ticket(_Id):
    identifier: str
    url: str
    title: str
    attachments: _Nodes[_Url]
    team: _States


class _Made(BaseModel):
    issue: _Ticket


class _Done(BaseModel):
    success: Literal[True]


class _It(BaseModel, Generic[T]):
    it: T


class _Reply(BaseModel, Generic[T]):
    data: _It[T]


class _Extensions(BaseModel):
    code: str = ""


class _Error(BaseModel):
    extensions: _Extensions = _Extensions()


class _Errors(BaseModel):
    errors: list[_Error] = Field(default_factory=list[_Error])


ERRORS: Final = TypeAdapter(_Errors)
TICKETS: Final = TypeAdapter(_Reply[_Nodes[_Ticket]])
TEAMS: Final = TypeAdapter(_Reply[_Nodes[_Team]])
IDS: Final = TypeAdapter(_Reply[_Nodes[_Id]])
MADE: Final = TypeAdapter(_Reply[_Made])
DONE: Final = TypeAdapter(_Reply[_Done])


def connect(settings: Settings, site: Site) -> Tickets:
    """Linear, by an API key (`lin_api_…`) or an OAuth token."""
    return Linear(settings, site.secrets[settings.token_env])


@dataclass(frozen=True, slots=True)
class Linear:
    """One team's tickets."""

    settings: Settings
    token: SecretStr

    async def open(self, key: str, draft: Draft) -> Noted:
        """See Tickets."""
        try:
            ticket = await self._create(key, draft)
        except ToolFailed:
            # Refused because it is there already, or made although the answer got lost: only a look can tell.
            found = await self._ticket(key)
            if found is None:
                raise
            ticket = found
        attached = {attachment.url for attachment in ticket.attachments.nodes}
        for url, title in draft.links:
            if url not in attached:
                await self._ask(LINK, {"issue": ticket.id, "url": url, "title": title}, DONE)
        return _noted(ticket)

    async def update(self, key: str, comment: str, *, done: bool = False) -> Noted:
        """See Tickets."""
        ticket = await self._ticket(key)
        if ticket is None:
            raise ToolFailed(NAME, "this incident has no ticket yet; call ticket_open first")
        await self._comment(ticket, _id(f"{key}\n{comment}"), comment)
        if done:
            await self._ask(CLOSE, {"issue": ticket.id, "state": ticket.team.done()}, DONE)
        return _noted(ticket)

    async def find(self, key: str) -> Noted | None:
        """See Tickets."""
        ticket = await self._ticket(key)
        return None if ticket is None else _noted(ticket)

    async def check(self) -> str:
        """See Tickets."""
        team = await self._team()
        team.done()
        label = self.settings.label
        return f"team {self.settings.team} found" + (f", label {label} not" if label and not team.labels.nodes else "")

    async def _create(self, key: str, draft: Draft) -> _Ticket:
        team = await self._team()
        given: dict[str, JsonValue] = {
            "id": _id(key),
            "teamId": team.id,
            "title": draft.title,
            "description": draft.body,
            "priority": draft.priority,
            "labelIds": [label.id for label in team.labels.nodes],
        }
        return (await self._ask(CREATE, {"input": given}, MADE)).issue

    async def _ticket(self, key: str) -> _Ticket | None:
        found = await self._ask(FIND, {"id": _id(key)}, TICKETS)
        return found.nodes[0] if found.nodes else None

    async def _comment(self, ticket: _Ticket, comment_id: str, body: str) -> None:
        try:
            await self._ask(COMMENT, {"input": {"id": comment_id, "issueId": ticket.id, "body": body}}, DONE)
        except ToolFailed:
            if not (await self._ask(COMMENTED, {"id": comment_id}, IDS)).nodes:
                raise

    async def _team(self) -> _Team:
        found = await self._ask(TEAM, {"key": self.settings.team, "label": self.settings.label}, TEAMS)
        if not found.nodes:
            raise ToolFailed(NAME, f"no team has the key {self.settings.team}, or the token cannot see it: set `team`")
        return found.nodes[0]

    async def _ask(self, query: str, variables: dict[str, JsonValue], shape: TypeAdapter[_Reply[T]]) -> T:
        """What `it` stands for in the answer. Every request may be repeated: ids are ours, updates are absolute."""
        token = self.token.get_secret_value()
        # An API key goes in bare, an OAuth token as a bearer.
        headers = {"Authorization": token if token.startswith("lin_api_") else f"Bearer {token}"}
        async with client(self.settings.url, headers) as through:
            request = through.build_request("POST", self.settings.url, json={"query": query, "variables": variables})
            try:
                answer = await send(NAME, through, request, credential=self.settings.token_env, repeatable=True)
            except ToolFailed as error:
                answer = _explained(error)
        for wrong in read(NAME, answer, ERRORS).errors:
            self._refuse(wrong.extensions.code)
        return read(NAME, answer, shape).data.it

    def _refuse(self, code: str) -> NoReturn:
        match code:
            case "RATELIMITED":
                raise Unreachable(NAME, "Linear limits our rate; ask again in a minute", retry=True)
            case "AUTHENTICATION_ERROR" | "FORBIDDEN":
                token = self.settings.token_env
                raise Unreachable(NAME, f"Linear refused us: token expired or lacks scope: set {token}")
            case _:
                raise ToolFailed(NAME, "Linear refused the request; check its arguments and the configured team")


def _explained(error: ToolFailed) -> httpx.Response:
    """The answer behind a 400, whose body says why in GraphQL's way. Raises `error` when there is none."""
    cause = error.__cause__
    if isinstance(cause, httpx.HTTPStatusError) and cause.response.status_code == HTTPStatus.BAD_REQUEST:
        return cause.response
    raise error


def _id(key: str) -> str:
    """A UUIDv4, as Linear wants one, that is always the same for one key."""
    return str(uuid.UUID(bytes=sha256(key.encode()).digest()[:16], version=4))


def _noted(ticket: _Ticket) -> Noted:
    return Noted(reference=ticket.identifier, url=ticket.url, title=ticket.title)
