"""Asks the service's configured endpoints whether they work, and no other address."""

import asyncio
import time

import httpx
from pydantic import Field

from tools.contract import Args, Effect, ToolFailed, tool
from tools.http import client
from tools.observed import Answered, Answers
from tools.site import Endpoint, Service


class Endpoints(Args):
    """Which endpoints."""

    names: tuple[str, ...] = Field((), max_length=50, description="Names of configured endpoints; empty: all of them.")


@tool(Effect.READ, timeout_s=60)
async def probe_endpoints(args: Endpoints, service: Service) -> Answers:
    """Request the service's configured endpoints, all at once, and say what each answered.

    Use it to see which features are down, and after an action to confirm that they work. A dead endpoint is an answer
    (`ok` false), not an error.
    Example: {"names": ["checkout"]}
    """
    known = ", ".join(service.endpoints) or "none is configured"
    if unknown := [name for name in args.names if name not in service.endpoints]:
        raise ToolFailed("probe_endpoints", f"there is no endpoint {unknown[0][:40]!r}; known: {known}")
    names = dict.fromkeys(args.names or service.endpoints)
    return Answers(answers=tuple(await asyncio.gather(*(_asked(name, service.endpoints[name]) for name in names))))


async def _asked(name: str, endpoint: Endpoint) -> Answered:
    """One request, not repeated: a check that hides failures is none. Its body is not read."""
    start, status = time.monotonic(), None
    try:
        async with asyncio.timeout(endpoint.timeout_s), client("", endpoint.headers) as http:
            request = http.build_request(endpoint.method, endpoint.url, content=endpoint.body)
            response = await http.send(request, stream=True)
            await response.aclose()
        status = response.status_code
        why = "as configured" if status == endpoint.expect else f"expected {endpoint.expect}, got {status}"
    except TimeoutError:
        why = f"no answer within {endpoint.timeout_s:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = f"no answer ({type(error).__name__})"
    ms = round((time.monotonic() - start) * 1000)
    return Answered(endpoint=name, status=status, ok=status == endpoint.expect, ms=ms, why=why)
