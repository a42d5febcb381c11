"""Replay: start the app of the work tree it runs in, send it an event's request, and say how that was answered.

`replay.py EVENT_JSON -- SERVE…`, a program of one file: the sandbox sees no other of ours. It asks 127.0.0.1 and nobody
else. Exit 1: status 500 or above, or a broken connection. 0: any other. 125: it cannot tell. It says why in its first
line; what the app printed follows.
"""

import ctypes
import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import FrameType, TracebackType
from typing import IO, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

import httpx
import psutil

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

CANNOT_TELL: Final = 125
MARK: Final = "replay: "
"""Begins the first line."""
START_S: Final = 40.0
"""Most that an app may take until it listens."""
ANSWER_S: Final = 30.0
BODY_BYTES: Final = 1 << 24
"""Of an answer that are read. Who says more is not heard out."""
END_S: Final = 3.0
"""Most that an app may take to end when it is asked to, and again when it is killed."""
QUIET_S: Final = 0.1
"""An app that printed nothing for so long has told all about the request."""
SETTLE_S: Final = 2.0
TAIL_BYTES: Final = 20_000
"""Of what the app printed. A bisection keeps 64 KiB, even if each of them becomes three."""
FAILED: Final = 500
_HOST: Final = "127.0.0.1"
_POLL_S: Final = 0.02
_PR_SET_CHILD_SUBREAPER: Final = 36
_HARMFUL: Final = re.compile(
    r"auth|cookie|token|secret|passw|session|api.?key|csrf|xsrf|signature|credential"
    r"|^(connection|content-length|transfer-encoding|accept-encoding|expect|upgrade|te|trailer|keep-alive|proxy.*)$",
    re.IGNORECASE,
)
"""Headers that may hold a secret, or that belong to one connection."""
_WORD: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class CannotTell(Exception):  # noqa: N818 - an exit status, no error of ours
    """Nothing is known of the request; says why, and what to do."""


@dataclass(slots=True)
class App:
    """An app that was started, and the end of what it prints."""

    process: subprocess.Popen[bytes]
    tail: bytes = b""
    heard: float = 0.0
    """When it last printed something, by the monotonic clock."""

    def listen(self, pipe: IO[bytes]) -> None:
        """Read what it prints until nobody can print any more."""
        while data := os.read(pipe.fileno(), 1 << 16):
            self.tail = (self.tail + data)[-TAIL_BYTES:]
            self.heard = time.monotonic()

    def settled(self) -> str:
        """What it printed, once it is quiet."""
        end = time.monotonic() + SETTLE_S
        while time.monotonic() < min(end, max(self.heard, end - SETTLE_S) + QUIET_S):
            time.sleep(_POLL_S)
        return self.tail.decode("utf-8", "replace")


def request(event: Mapping[str, Json], port: int) -> httpx.Request:
    """The event's request, to 127.0.0.1 whatever host it names. Raises CannotTell when there is none to send."""
    asked = event.get("request")
    if not isinstance(asked, dict) or not (asked.get("path") or asked.get("url")):
        raise CannotTell("the event has no request to replay: give the service a `command` that reproduces it")
    try:
        there = urlsplit(str(asked.get("url") or ""))
        path, query = str(asked.get("path") or there.path), _query(asked.get("query")) or there.query
        where = httpx.URL(
            scheme="http", host=_HOST, port=port, path=f"/{path.lstrip('/')}", query=query.encode() or None
        )
        method, headers = str(asked.get("method") or "GET"), _headers(asked.get("headers"))
        if not _WORD.fullmatch(method):
            method = "GET"
        content = _content(asked.get("body"), headers)
        return httpx.Request(method, where, headers=headers, content=content)
    except (httpx.InvalidURL, ValueError) as error:
        raise CannotTell(f"the event's request cannot be sent: {type(error).__name__}") from error


def _query(query: Json) -> str:
    match query:
        case dict():
            return urlencode({name: "" if value is None else value for name, value in query.items()}, doseq=True)
        case list():
            pairs = [pair for pair in query if isinstance(pair, list) and len(pair) == len(("name", "value"))]
            return urlencode([(str(name), "" if value is None else str(value)) for name, value in pairs])
        case _:
            return str(query or "").removeprefix("?")


def _headers(headers: Json) -> dict[str, str]:
    """Those that hold no secret and that can be sent."""
    named = headers.items() if isinstance(headers, dict) else ()
    pairs = [(name, str(value)) for name, value in named if _WORD.fullmatch(name) and not _HARMFUL.search(name)]
    return {name.lower(): value.strip() for name, value in pairs if value.isascii() and value.isprintable()}


def _content(body: Json, headers: dict[str, str]) -> bytes | None:
    """The body; what is no text is written as its content type says, as JSON when that says nothing."""
    if body is None or body == "":
        return None
    if isinstance(body, str):
        return body.encode("utf-8", "replace")
    if isinstance(body, dict) and headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return urlencode(body, doseq=True).encode()
    if "json" not in headers.get("content-type", ""):
        headers["content-type"] = "application/json"
    return json.dumps(body).encode()


@contextmanager
def port() -> Generator[int]:
    """A free port. No other replay on this machine takes it meanwhile: a name in the kernel says whose it is."""
    with closing(socket.socket(socket.AF_UNIX)) as claim:
        while True:
            with closing(socket.socket()) as found:
                found.bind((_HOST, 0))
                number: int = found.getsockname()[1]
            try:
                claim.bind(f"\0stanch-replay-{number}")
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue  # another system has no such names, and goes without
            break
        yield number


@contextmanager
def app(serve: Sequence[str], number: int) -> Generator[App]:
    """The app, in a process group of its own. All that it started is ended afterwards."""
    with suppress(OSError, AttributeError):  # then its orphans are ours, and are found
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    argv = ("env", f"PORT={number}", "PYTHONUNBUFFERED=1", *(word.replace("{port}", str(number)) for word in serve))
    process = subprocess.Popen(  # noqa: S603 - the user's own command
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    running = App(process)
    if process.stdout:
        Thread(target=running.listen, args=(process.stdout,), daemon=True).start()
    try:
        yield running
    finally:
        _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Ask the app to end, then kill what is left, round by round: one that is killed may leave others behind."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    end = time.monotonic() + END_S
    while (left := psutil.Process().children(recursive=True)) and time.monotonic() < end:
        for one in left:
            with suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(left, timeout=END_S)


def listening(running: App, number: int) -> None:
    """Wait until it takes connections. Raises CannotTell when it ends, or takes too long."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if (status := running.process.poll()) is not None:
            raise CannotTell(f"the app ended with status {status} before it listened: `serve` has to stay and serve")
        with suppress(OSError), closing(socket.create_connection((_HOST, number), _POLL_S * 10)):
            return
        time.sleep(_POLL_S)
    why = f"nobody listened on {_HOST}:{{port}} after {START_S:.0f} s: `serve` has to take its port from `{{port}}`"
    raise CannotTell(f"{why}, or from PORT in its environment")


def answered(asked: httpx.Request) -> str:
    """The status, or why there is none, as one word. Raises CannotTell when there is no answer in time."""
    try:
        with httpx.Client(trust_env=False, timeout=ANSWER_S, follow_redirects=False) as client:
            with closing(client.send(asked, stream=True)) as came, suppress(httpx.TimeoutException):
                end, size = time.monotonic() + ANSWER_S, 0
                for part in came.iter_raw():  # one who is not heard out may fail of that
                    size += len(part)
                    if size > BODY_BYTES or time.monotonic() > end:
                        break
            return str(came.status_code)
    except httpx.TimeoutException as error:
        raise CannotTell(f"the app did not answer within {ANSWER_S:.0f} s") from error
    except httpx.TransportError:
        return "broken"


def replayed(event: Mapping[str, Json], serve: Sequence[str]) -> tuple[int, str]:
    """Exit status, and what to print."""
    output = ""
    try:
        with port() as number:
            asked = request(event, number)
            with app(serve, number) as running:
                try:
                    listening(running, number)
                    answer = answered(asked)
                finally:
                    output = running.settled()
    except (CannotTell, OSError) as error:
        return CANNOT_TELL, f"{MARK}{error}\n{output}"
    failed = answer == "broken" or int(answer) >= FAILED
    told = "the connection broke" if answer == "broken" else f"the app answered {answer}"
    return int(failed), f"{MARK}{told} to {asked.method} {asked.url.path!r}{_filtered(event)}\n{output}"


def _filtered(event: Mapping[str, Json]) -> str:
    hidden = "[Filtered]" in json.dumps(event.get("request"))
    return "; the tracker had filtered some of the request, which was sent as it is" if hidden else ""


def excuse(output: str) -> str:
    """Why a replay cannot tell, in words of this file alone; empty when `output` is no whole replay's."""
    first = output.partition("\n")[0]
    return first.removeprefix(MARK) if first.startswith(MARK) else ""


def main(argv: Sequence[str]) -> int:
    """`EVENT_JSON -- SERVE…`."""
    place, _, *serve = argv
    signal.signal(signal.SIGTERM, _stop)
    sys.excepthook = _broken
    event: Json = json.loads(Path(place).read_bytes())
    status, said = replayed(event if isinstance(event, dict) else {}, serve)
    sys.stdout.buffer.write(said.encode("utf-8", "replace"))
    return status


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """So that the app is ended too."""
    sys.exit(CANNOT_TELL)


def _broken(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Python would end with 1, and our own mistake be the app's."""
    sys.__excepthook__(kind, error, trace)
    os._exit(CANNOT_TELL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
