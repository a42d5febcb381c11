"""HTTP for every tool: one way to ask, retry and fail. No redirect is followed, no vendor's word gets out."""

import asyncio
import re
import time
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from ssl import SSLContext
from typing import TypeVar

import httpx
import stamina
from pydantic import TypeAdapter, ValidationError

from tools.contract import ToolFailed, Unauthorised, Unreachable

TIMEOUT = httpx.Timeout(10, connect=3)
TOTAL_S = 20.0
"""Most time spent on one request with all its retries: an incident cannot wait longer for one look."""
ATTEMPTS = 4
MAX_BODY = 16_000_000
"""Bytes of one answer. What answers more is no API; it must not fill our memory."""
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL)
_OF_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})

T = TypeVar("T")


def client(base_url: str, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """A client for one host, to be closed after one operation (`async with`). A proxy is never used for loopback."""
    direct: dict[str, None] = dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))
    named = dict(headers or {})
    return httpx.AsyncClient(base_url=base_url, headers=named, timeout=TIMEOUT, mounts=direct, verify=_trusted())


@cache
def _trusted() -> SSLContext:
    """Read once: every authority there is takes longer to read than most services to answer."""
    return httpx.create_ssl_context()


async def send(
    tool: str, through: httpx.AsyncClient, request: httpx.Request, *, credential: str = "", repeatable: bool = False
) -> httpx.Response:
    """The answer (2xx) to a request made by `through.build_request(…)`, retried with jitter while that is harmless.

    `credential` is the *name* of the environment variable that holds the token, for the hint. `repeatable` says that
    a POST may be sent twice (a query, or an effect with a key of its own).

    Raises:
        Unreachable: no answer in time, 5xx, 429, or our credentials were refused (401, 403).
        ToolFailed: any other answer. `unknown` is set when an effect may have happened.
    """
    again = repeatable or request.method in REPEATABLE
    attempts = stamina.retry_context(
        on=lambda error: _pause(error, again=again), attempts=ATTEMPTS, wait_initial=0.2, wait_jitter=0.4
    )
    try:
        async with asyncio.timeout(TOTAL_S):
            async for attempt in attempts:
                with attempt:
                    return (await _answer(tool, through, request, again=again)).raise_for_status()
    except httpx.HTTPStatusError as error:
        raise _refused(tool, error.response, credential=credential, again=again) from error
    except (httpx.HTTPError, TimeoutError) as error:
        raise _silent(tool, request.url.host, error, again=again) from error
    raise AssertionError("unreachable")


def read(tool: str, response: httpx.Response, shape: TypeAdapter[T]) -> T:
    """The body as `shape`, with what is no character replaced.

    Raises ToolFailed when it is something else, e.g. a proxy's page, or nested without end.
    """
    text = _ESCAPE.sub(_whole, response.content.decode(errors="replace"))
    try:
        return shape.validate_json(text)
    except ValidationError as error:
        host = response.request.url.host
        raise ToolFailed(tool, f"{host} answered in an unknown shape; check that `url` is the vendor's API") from error


async def _answer(tool: str, through: httpx.AsyncClient, request: httpx.Request, *, again: bool) -> httpx.Response:
    """The answer with its body, unless that has no end: then ToolFailed."""
    response, body = await through.send(request, stream=True), bytearray()
    try:
        async for part in response.aiter_bytes():
            body += part
            if len(body) > MAX_BODY:
                hint = f"{request.url.host} answers more than {MAX_BODY // 1_000_000} MB; check that `url` is its API"
                raise ToolFailed(tool, hint, unknown=not again)
    finally:
        await response.aclose()
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_TRANSFER]
    return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)


def _whole(escape: re.Match[str]) -> str:
    """A JSON escape; of half a character, what stands for none: a text may be cut inside one."""
    return r"\ufffd" if escape["half"] else escape[0]


def _pause(error: Exception, *, again: bool) -> bool | float:
    """Whether to send once more; seconds to wait when the server says so."""
    if not isinstance(error, httpx.HTTPStatusError):
        return isinstance(error, NEVER_SENT) or (again and isinstance(error, httpx.TransportError))
    response = error.response
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return again and response.is_server_error
    wait_s = _asked_wait_s(response)
    return True if wait_s is None else wait_s if wait_s < TOTAL_S else False


def _asked_wait_s(response: httpx.Response) -> float | None:
    """Seconds to wait as the server asks: `Retry-After`, or Sentry's `X-Sentry-Rate-Limit-Reset` (epoch seconds)."""
    after, reset = response.headers.get("Retry-After", ""), response.headers.get("X-Sentry-Rate-Limit-Reset", "")
    if after.isdecimal():
        return float(after)
    return max(float(reset) - time.time(), 0.0) if reset.isdecimal() else None


def _silent(tool: str, host: str, error: Exception, *, again: bool) -> ToolFailed:
    if again or isinstance(error, NEVER_SENT):
        return Unreachable(
            tool, f"{host} does not answer ({type(error).__name__}); check `url` and the network", retry=True
        )
    return Unreachable(tool, f"{host} was asked but did not answer; look before asking again", unknown=True)


def _refused(tool: str, response: httpx.Response, *, credential: str, again: bool) -> ToolFailed:
    """Our words for an answer that is not 2xx. Paths stay out of them: a webhook's path is its secret."""
    code, host = response.status_code, response.request.url.host
    if code in {401, 403}:
        token = f"set {credential}" if credential else "check its credentials"
        return Unauthorised(tool, f"{host} refused us ({code}): token expired or lacks scope: {token}")
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return Unreachable(tool, f"{host} limits our rate (429); ask less, or again in a minute", retry=True)
    if response.is_server_error:
        return Unreachable(tool, f"{host} is failing ({code}); ask again later", retry=True, unknown=not again)
    if response.is_redirect:
        return ToolFailed(tool, f"{host} redirects ({code}), which is not followed: set `url` to the final address")
    if code == HTTPStatus.NOT_FOUND:
        return ToolFailed(tool, f"{host} has no such thing (404); check the id and the configured names")
    return ToolFailed(tool, f"{host} refused the request ({code}); check its arguments")
