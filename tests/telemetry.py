"""A WSGI shop whose visits are reported by the real sentry-sdk, at the world time that a test chooses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from wsgiref.util import setup_testing_defaults

import sentry_sdk
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

from agent.lab.tracker.project import Account

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from sentry_sdk.types import Event, Hint

ACCOUNT = Account(key="ingest-key", token="read-token")  # noqa: S106 - opens a stand-in on loopback only
NOON = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


@dataclass
class StoppedClock:
    """The world's clock, moved by the test."""

    at: datetime = NOON

    def now(self) -> datetime:
        """The time it was set to."""
        return self.at

    def wall_s(self, world_s: float) -> float:
        """One to one."""
        return world_s


class Visit(NamedTuple):
    """One request to the shop."""

    minutes_ago: float = 1
    user: str = "u1"
    org: str = "acme"
    region: str = "eu"
    feature: str = "/checkout"
    release: str = "shop@1.8.0"
    error: type[Exception] | None = None


def price(error: type[Exception]) -> None:
    """The shop's broken function: always the top in-app frame."""
    raise error("CHF")


@dataclass
class Shop:
    """Reports to the tracker at `url`."""

    url: str
    clock: StoppedClock = field(default_factory=StoppedClock)

    def serve(self, visits: Iterable[Visit]) -> None:
        """Serves all visits and sends what they reported. Returns when the tracker has it."""
        by_release: dict[str, list[Visit]] = {}
        for visit in visits:
            by_release.setdefault(visit.release, []).append(visit)
        for release, some in by_release.items():
            self._serve(release, some)

    def _serve(self, release: str, visits: list[Visit]) -> None:
        at = [NOON]

        def dated(event: "Event", _: "Hint") -> "Event":
            event["timestamp"] = at[0]
            return event

        client = sentry_sdk.Client(
            dsn=f"http://{ACCOUNT.key}@{self.url.removeprefix('http://')}/{ACCOUNT.project_id}",
            release=release,
            environment="production",
            default_integrations=False,
            traces_sample_rate=1.0,
            transport_queue_size=5000,
        )
        with sentry_sdk.isolation_scope() as scope:
            scope.set_client(client)
            scope.add_event_processor(dated)
            for visit in visits:
                at[0] = self.clock.now() - timedelta(minutes=visit.minutes_ago)
                _visit(visit)
            client.close(timeout=20)


def _visit(visit: Visit) -> None:
    def shop(_: "WSGIEnvironment", start: "StartResponse") -> list[bytes]:
        scope = sentry_sdk.get_isolation_scope()
        scope.set_user({"id": visit.user})
        scope.set_tag("org", visit.org)
        scope.set_tag("region", visit.region)
        sentry_sdk.get_current_scope().set_transaction_name(visit.feature, source="route")
        if visit.error:
            price(visit.error)
        start("200 OK", [])
        return [b"thanks"]

    environ: WSGIEnvironment = {
        "PATH_INFO": visit.feature,
        "QUERY_STRING": "currency=CHF&token=hunter2",
        "HTTP_AUTHORIZATION": "Bearer hunter2",
        "HTTP_X_API_KEY": "hunter2",
        "HTTP_X_ORG": visit.org,
    }
    setup_testing_defaults(environ)
    try:
        answer = SentryWsgiMiddleware(shop)(environ, _started)
        list(answer)
    except Exception as error:
        if type(error) is not visit.error:
            raise


def _started(*_: object) -> Callable[[bytes], object]:
    return len
