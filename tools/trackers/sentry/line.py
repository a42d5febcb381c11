"""The connection of one operation: bounded in what goes on at once and in how far pages are followed."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import JsonValue, TypeAdapter

from tools.http import read, send

PAGES = 5
"""Most pages of 100 that are followed."""
AT_ONCE = 5
"""Requests under way together; Sentry allows about 25 for a caller."""

T = TypeVar("T")
Params = Mapping[str, str | int | list[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """The connection of one operation."""

    http: httpx.AsyncClient
    credential: str
    places: asyncio.Semaphore

    async def ask(self, path: str, params: Params, *, method: str = "GET", body: JsonValue = None) -> httpx.Response:
        """The answer, a success."""
        async with self.places:
            request = self.http.build_request(method, path, params=params, json=body)
            return await send("sentry", self.http, request, credential=self.credential)

    async def get(self, path: str, shape: TypeAdapter[T], params: Params) -> T:
        """What a GET answers."""
        return read("sentry", await self.ask(path, params), shape)

    async def pages(self, path: str, shape: TypeAdapter[T], params: Params) -> AsyncGenerator[T]:
        """PAGES pages at most. Of a Link header only the cursor is used: nothing but our settings names a host."""
        cursor: dict[str, str] = {}
        for _ in range(PAGES):
            response = await self.ask(path, {**params, **cursor})
            yield read("sentry", response, shape)
            onward = response.links.get("next", {})
            if onward.get("results") != "true":
                return
            cursor = {"cursor": onward["cursor"]}


@asynccontextmanager
async def together() -> AsyncGenerator[asyncio.TaskGroup]:
    """Tasks that succeed together: the first failure ends the others, and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
