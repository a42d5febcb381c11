"""What a request to `/api/0` asks for: its window, its issues, its page. What this tracker does not know is a 400."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from agent.lab.tracker.store import Window

PAGE = 100
PERIOD = re.compile(r"(\d+)([smhdw]?)")
UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
ISSUE_IDS = re.compile(r"issue\.id:\[?([\d,]+)\]?")


def window(request: Request, now: datetime) -> Window:
    """`start` and `end`, or the `statsPeriod` up to now (24 hours when not given)."""
    asked = request.query_params
    if "start" in asked and "end" in asked:
        return Window.between(_time(asked["start"]), _time(asked["end"]))
    period = PERIOD.fullmatch(asked.get("statsPeriod", "24h"))
    if not period:
        raise HTTPException(400, "Invalid statsPeriod")
    return Window.between(now - timedelta(seconds=int(period[1]) * UNITS_S[period[2]]), now)


def terms(request: Request, default: str = "") -> list[str]:
    """The words of the search query."""
    return request.query_params.get("query", default).split()


def issue_ids(words: Sequence[str]) -> list[int]:
    """The issues that a query is about: `issue.id:1` or `issue.id:[1,2]` and nothing else."""
    match = ISSUE_IDS.fullmatch("".join(words))
    if not match:
        raise HTTPException(400, "Invalid query: this tracker knows issue.id only")
    return [int(number) for number in match[1].split(",") if number]


def page(request: Request, rows: Sequence[JsonValue], *, body: str = "") -> JSONResponse:
    """One page of the rows with Sentry's Link header; as a list, or under the key `body`."""
    asked = request.query_params
    size = min(int(asked.get("limit", asked.get("per_page", PAGE))), PAGE)
    offset = int(asked.get("cursor", "0:0:0").split(":")[1])
    cut = list(rows[offset : offset + size])
    links = [
        _link(request, "previous", max(offset - size, 0), "1", more=offset > 0),
        _link(request, "next", offset + size, "0", more=offset + size < len(rows)),
    ]
    return JSONResponse({body: cut, "meta": {}} if body else cut, headers={"Link": ", ".join(links)})


def _link(request: Request, rel: str, offset: int, back: str, *, more: bool) -> str:
    cursor = f"0:{offset}:{back}"
    url = request.url.include_query_params(cursor=cursor)
    return f'<{url}>; rel="{rel}"; results="{str(more).lower()}"; cursor="{cursor}"'


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(400, "Invalid date") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
