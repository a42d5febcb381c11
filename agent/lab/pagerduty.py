"""PagerDuty for the lab: Events API v2, checked as the real one checks, kept in memory."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent.lab.standin import Now, stand_in, wall

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
"""What the lab's PagerDuty accepts: 32 characters, as the real ones have."""


class Link(BaseModel):
    """A link of an event."""

    href: str
    text: str = ""


class Payload(BaseModel):
    """What a trigger says."""

    summary: str = Field(min_length=1, max_length=1024)
    source: str = Field(min_length=1)
    severity: Literal["critical", "error", "warning", "info"]
    custom_details: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class Trigger(BaseModel):
    """Opens an alert, or joins the open one with the same `dedup_key`."""

    routing_key: str = Field(min_length=32, max_length=32)
    event_action: Literal["trigger"]
    dedup_key: str | None = Field(None, max_length=255)
    payload: Payload
    links: list[Link] = Field(default_factory=list[Link])


class Change(BaseModel):
    """Acknowledges or resolves an alert."""

    routing_key: str = Field(min_length=32, max_length=32)
    event_action: Literal["acknowledge", "resolve"]
    dedup_key: str = Field(min_length=1, max_length=255)


EVENT = TypeAdapter[Trigger | Change](Annotated[Trigger | Change, Field(discriminator="event_action")])


def app(*, routing_key: str = ROUTING_KEY, now: Now = wall) -> Starlette:
    """Serves `POST /v2/enqueue`. Keeps `{"alerts": {dedup_key: {…, "triggers": n}}, "events": n}`."""
    alerts: dict[str, dict[str, JsonValue]] = {}
    events = 0

    async def enqueue(request: Request) -> Response:
        nonlocal events
        try:
            event = EVENT.validate_json(await request.body())
        except ValidationError as error:
            return _refused([f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()])
        if event.routing_key != routing_key:
            return _refused(["routing_key is not of an integration"])
        events += 1
        key = event.dedup_key or f"lab-{events}"
        if isinstance(event, Trigger):
            at = now().isoformat()
            alert = alerts.setdefault(key, {"at": at, "status": "triggered", "triggers": 0})
            said = event.model_dump(include={"payload", "links"}, mode="json")
            alert |= {**said, "last_at": at, "triggers": int(str(alert["triggers"])) + 1}
        elif key in alerts:
            alerts[key]["status"] = f"{event.event_action}d"
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    return stand_in(
        [Route("/v2/enqueue", enqueue, methods=["POST"])], lambda: {"alerts": dict(alerts), "events": events}
    )


def _refused(errors: list[str]) -> Response:
    return JSONResponse({"status": "invalid event", "message": "Event object is invalid", "errors": errors}, 400)
