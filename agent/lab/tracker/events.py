"""Sentry's JSON about single events, made from what the sentry-sdk sent."""

from urllib.parse import parse_qsl

from pydantic import JsonValue

from agent.lab.tracker.envelope import Frame, Item, Json, Raised
from agent.lab.tracker.project import Account, stamp
from agent.lab.tracker.store import Group, facets


def row(event: Item, group: Group, account: Account) -> Json:
    """A row of an issue's events."""
    return {
        **_head(event, group, account),
        "event.type": "error",
        "message": group.title,
        "crashFile": None,
        "dateCreated": stamp(event.timestamp),
        "metadata": {},
    }


def whole(event: Item, group: Group, account: Account) -> Json:
    """One event with its exception chain and request; frames are camelCase, outermost first."""
    entries: list[JsonValue] = []
    if event.exception.values:
        chain: list[JsonValue] = [_raised(raised) for raised in event.exception.values]
        entries.append({"type": "exception", "data": {"values": chain, "hasSystemFrames": False, "excOmitted": None}})
    if event.request:
        entries.append({"type": "request", "data": _request(event.request)})
    if event.breadcrumbs:
        crumbs = event.breadcrumbs
        values = crumbs.get("values") if isinstance(crumbs, dict) else crumbs
        entries.append({"type": "breadcrumbs", "data": {"values": values}})
    return {
        **_head(event, group, account),
        "message": "",
        "dateCreated": stamp(event.timestamp),
        "dateReceived": stamp(event.timestamp),
        "contexts": event.contexts,
        "size": None,
        "entries": entries,
        "dist": None,
        "sdk": event.sdk and {"name": event.sdk.get("name"), "version": event.sdk.get("version")},
        "context": {},
        "packages": {},
        "type": "error",
        "metadata": {"type": group.raised.type, "value": group.raised.value or ""},
        "errors": [],
        "occurrence": None,
        "_meta": {},
        "release": None,
        "userReport": None,
        "sdkUpdates": [],
        "resolvedWith": [],
        "nextEventID": None,
        "previousEventID": None,
    }


def _head(event: Item, group: Group, account: Account) -> Json:
    tags: list[JsonValue] = [{"key": key, "value": value} for key, value in sorted(facets(event))]
    user = event.user or {}
    return {
        "id": event.event_id,
        "eventID": event.event_id,
        "groupID": str(group.id),
        "projectID": str(account.project_id),
        "title": group.title,
        "location": group.raised.top.filename,
        "culprit": event.transaction,
        "user": {key: user.get(key) for key in ("id", "email", "username", "ip_address", "name")},
        "tags": tags,
        "platform": event.platform,
    }


def _raised(raised: Raised) -> Json:
    frames: list[JsonValue] = [_frame(frame) for frame in raised.stacktrace.frames] if raised.stacktrace else []
    trace: Json | None = {"frames": frames, "framesOmitted": None, "hasSystemFrames": False} if frames else None
    return {"type": raised.type, "value": raised.value, "mechanism": raised.mechanism, "stacktrace": trace}


def _frame(frame: Frame) -> Json:
    at = frame.lineno or 0
    source = [*frame.pre_context, *([frame.context_line] if frame.context_line else []), *frame.post_context]
    first = at - len(frame.pre_context)
    context: list[JsonValue] = [[first + offset, line] for offset, line in enumerate(source)]
    return {
        "filename": frame.filename,
        "absPath": frame.abs_path,
        "module": frame.module,
        "function": frame.function,
        "lineNo": frame.lineno,
        "inApp": bool(frame.in_app),
        "context": context,
        "vars": frame.vars,
    }


def _request(raw: Json) -> Json:
    headers, query = raw.get("headers"), raw.get("query_string")
    pairs: list[JsonValue] = [[key, value] for key, value in headers.items()] if isinstance(headers, dict) else []
    asked: list[JsonValue] = [[key, value] for key, value in parse_qsl(query)] if isinstance(query, str) else []
    known: Json = {key: raw.get(key) for key in ("method", "url", "data", "env")}
    return {**known, "headers": pairs, "query": asked, "cookies": [], "fragment": None, "inferredContentType": None}
