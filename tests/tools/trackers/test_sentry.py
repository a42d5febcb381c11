"""The Sentry back end, against a tracker that the real sentry-sdk has reported to."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.lab.tracker.app import app
from tests.openapi import assert_asked
from tests.serving import serving
from tests.telemetry import ACCOUNT, NOON, Shop, StoppedClock, Visit
from tools.contract import ToolFailed, Unreachable
from tools.observed import Issue, Picture
from tools.site import Service, Site
from tools.trackers.base import Tracker
from tools.trackers.sentry import Settings, connect

TOKENS = {"SENTRY_AUTH_TOKEN": SecretStr(ACCOUNT.token)}
VISITS = [
    *(Visit(minutes_ago=2, user=f"u{n % 3}", error=KeyError) for n in range(6)),
    *(Visit(minutes_ago=1, user="u8", org="globex", region="us", feature="/cart", error=KeyError) for _ in range(2)),
    *(Visit(minutes_ago=40, user="u9", release="shop@1.7.0", error=KeyError) for _ in range(4)),
    *(Visit(minutes_ago=3, feature="/search", error=ValueError) for _ in range(3)),
    *(Visit(minutes_ago=5, user=f"u{n}") for n in range(20)),
]


def tracker(url: str, **changes: str) -> Tracker:
    """The back end, opened on the stand-in."""
    site = Site(Service("shop", Path("/nowhere")), StoppedClock(), Path("/nowhere"), TOKENS)
    return connect(Settings.model_validate({"url": url, "organization": "acme", "project": "shop"} | changes), site)


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    """A tracker that has seen VISITS."""
    with serving(app(StoppedClock(), ACCOUNT)) as base:
        Shop(base).serve(VISITS)
        yield base


@pytest.fixture(scope="module")
def picture(url: str) -> Picture:
    return asyncio.run(tracker(url).picture())


@pytest.fixture(scope="module")
def broken(picture: Picture) -> Issue:
    """The issue of the checkout."""
    return picture.issues[0]


def test_a_picture_counts_the_window_most_frequent_first(picture: Picture) -> None:
    assert [(issue.title, issue.events, issue.users) for issue in picture.issues] == [
        ("KeyError: 'CHF'", 8, 4),
        ("ValueError: CHF", 3, 1),
    ]
    assert (picture.window_min, picture.more_issues, picture.at) == (15, 0, NOON)


def test_an_issue_knows_since_when_it_is_there(broken: Issue) -> None:
    assert broken.first_release == "v1.7.0"
    assert broken.first_seen == NOON - timedelta(minutes=40)
    assert broken.releases == {"v1.8.0": 8, "v1.7.0": 4}


def test_an_issue_knows_whom_it_hurts_within_the_window(broken: Issue) -> None:
    assert broken.features == {"/checkout": 6, "/cart": 2}
    assert broken.orgs == {"acme": 6, "globex": 2}
    assert broken.regions == {"eu": 6, "us": 2}
    assert set(broken.user_ids) == {"u0", "u1", "u2", "u8"}


def test_the_top_frame_is_the_services_own(broken: Issue) -> None:
    assert broken.top_frame is not None
    assert broken.top_frame.function == "price"
    assert broken.top_frame.filename.endswith("telemetry.py")


def test_series_are_whole_minutes_oldest_first(picture: Picture, broken: Issue) -> None:
    for series, total in ((picture.errors, 15), (picture.traffic, len(VISITS)), (broken.series, 12)):
        assert sum(point.count for point in series) == total
        assert [point.at for point in series] == sorted(point.at for point in series)
        assert series[-1].at == NOON.replace(second=0) - timedelta(minutes=1)


def test_the_detail_has_the_chain_and_the_request(url: str, broken: Issue) -> None:
    detail = asyncio.run(tracker(url).issue(broken.id))
    assert [raised.type for raised in detail.chain] == ["KeyError"]
    assert [frame.function for frame in detail.chain[0].frames][:2] == ["price", "shop"]
    assert detail.request["method"] == "GET"
    assert detail.tags["org"] in {"acme", "globex"}
    assert detail.release in {"v1.7.0", "v1.8.0"}


def test_no_secret_leaves_the_tracker(url: str, broken: Issue) -> None:
    event = asyncio.run(tracker(url).event(broken.id))
    detail = asyncio.run(tracker(url).issue(broken.id))
    assert "hunter2" not in str(event) + detail.model_dump_json()
    assert "Authorization" not in str(event)


def test_an_event_is_enough_to_ask_again(url: str, broken: Issue) -> None:
    event = asyncio.run(tracker(url).event(broken.id))
    request, raised, user = event["request"], event["exception"], event["user"]
    assert isinstance(request, dict)
    assert isinstance(raised, dict)
    assert (request["path"], request["query"]) == ("/cart", {"currency": "CHF"})
    assert isinstance(request["headers"], dict)
    assert request["headers"]["X-Org"] == "globex"
    assert (raised["type"], user) == ("KeyError", {"id": "u8"})


def test_a_signal_reads_the_incidents_own_issues(url: str, broken: Issue) -> None:
    signal = asyncio.run(tracker(url).signal((broken.id,), NOON - timedelta(minutes=10)))
    assert sum(point.count for point in signal.incident) == 8
    assert sum(point.count for point in signal.errors) == 11
    assert signal.incident[0].at == NOON.replace(second=0) - timedelta(minutes=10)
    assert asyncio.run(tracker(url).signal(())).incident == ()


def test_a_series_is_bounded_whatever_is_asked(url: str) -> None:
    assert len(asyncio.run(tracker(url).signal((), NOON - timedelta(days=9))).errors) == 360
    assert len(asyncio.run(tracker(url).signal((), NOON + timedelta(days=9))).errors) == 1


def test_an_id_never_becomes_a_query(url: str) -> None:
    with pytest.raises(ToolFailed, match="no issue id"):
        asyncio.run(tracker(url).signal(("1] OR level:error",)))
    with pytest.raises(ToolFailed, match="404"):
        asyncio.run(tracker(url).issue("../../projects"))


def test_check_says_what_it_sees(url: str) -> None:
    assert "project shop (id 1) of acme" in asyncio.run(tracker(url).check())


@pytest.mark.parametrize("changes", [{"project": "shap"}, {"project": "sho"}])
def test_no_rows_prove_nothing_unless_the_project_is_seen(url: str, changes: dict[str, str]) -> None:
    with pytest.raises(Unreachable, match="not visible: check `project`"):
        asyncio.run(tracker(url, **changes).picture())


def test_a_quiet_project_is_a_picture_without_issues() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        picture = asyncio.run(tracker(url).picture())
    assert picture.issues == ()
    assert picture.traffic == ()
    assert len(picture.errors) == 60


def test_a_flood_of_issues_stays_bounded() -> None:
    errors = [type(f"Error{n}", (Exception,), {}) for n in range(130)]
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        Shop(url).serve(Visit(error=error) for error in errors)
        picture = asyncio.run(tracker(url).picture())
    assert (len(picture.issues), picture.more_issues) == (10, 120)
    assert len(picture.model_dump_json()) < 60_000


def test_resolving_twice_changes_nothing() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        Shop(url).serve([Visit(error=KeyError), Visit(release="shop@1.8.1")])
        asyncio.run(tracker(url).resolve("1", "v1.8.1"))
        asyncio.run(tracker(url).resolve("1", "v1.8.1"))
        issue = httpx.get(f"{url}/api/0/organizations/acme/issues/1/", headers={"Authorization": "Bearer read-token"})
        assert issue.json()["statusDetails"] == {"inRelease": "shop@1.8.1"}
        assert asyncio.run(tracker(url).picture()).issues == ()


def test_the_rate_limit_is_waited_out() -> None:
    with serving(app(StoppedClock(), ACCOUNT, limit_per_s=4)) as url:
        Shop(url).serve(Visit(error=type(f"Error{n}", (Exception,), {})) for n in range(8))
        assert len(asyncio.run(tracker(url).picture()).issues) == 8


def test_an_expired_token_names_its_variable(url: str) -> None:
    site = Site(Service("shop", Path()), StoppedClock(), Path(), {"SENTRY_AUTH_TOKEN": SecretStr("old")})
    settings = Settings(url=url, organization="acme", project="shop")
    with pytest.raises(Unreachable, match="set SENTRY_AUTH_TOKEN") as caught:
        asyncio.run(connect(settings, site).picture())
    assert "old" not in caught.value.hint
    with pytest.raises(Unreachable, match="no token: set SENTRY_AUTH_TOKEN"):
        asyncio.run(connect(settings, replace(site, secrets={})).picture())


def test_a_dead_tracker_is_unreachable() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        httpx.post(f"{url}/_lab/down", json={"down": True})
        with pytest.raises(Unreachable, match="503"):
            asyncio.run(tracker(url).picture())
    with pytest.raises(Unreachable, match="does not answer"):
        asyncio.run(tracker(url).picture())


def test_a_stumbling_tracker_is_read_all_the_same() -> None:
    with stumbling(app(StoppedClock(), ACCOUNT)) as url:
        Shop(url).serve([Visit(error=KeyError)])
        assert len(asyncio.run(tracker(url).picture()).issues) == 1


def test_a_foreign_site_is_told_apart() -> None:
    with serving(PlainTextResponse("<html>")) as url, pytest.raises(ToolFailed, match="unknown shape"):
        asyncio.run(tracker(url).picture())


def test_it_asks_only_what_sentry_describes() -> None:
    asked: list[tuple[str, str, str]] = []
    inner = app(StoppedClock(), ACCOUNT)

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if "/api/0/" in str(scope.get("path")):
            asked.append((scope["method"], scope["path"], scope["query_string"].decode()))
        await inner(scope, receive, send)

    with serving(outer) as url:
        Shop(url).serve(VISITS)
        back_end = tracker(url)
        asyncio.run(back_end.picture())
        asyncio.run(back_end.issue("1"))
        asyncio.run(back_end.signal(("1", "2")))
        asyncio.run(back_end.resolve("1", "v1.8.0"))
        asyncio.run(back_end.check())
    assert len({path for _, path, _ in asked}) > 8
    for method, path, query in asked:
        assert path.endswith("/")
        assert_asked(method, path, parse_qs(query))


def test_it_may_stand_under_a_path() -> None:
    with serving(Starlette(routes=[Mount("/tracker", app(StoppedClock(), ACCOUNT))])) as url:
        Shop(f"{url}/tracker").serve(Visit(error=type(f"Error{n}", (Exception,), {})) for n in range(101))
        assert asyncio.run(tracker(f"{url}/tracker/").picture()).more_issues == 91


@contextmanager
def stumbling(inner: ASGIApp) -> Generator[str]:
    """Serves an app whose every third answer to `/api/0` is a 502."""
    asked = [0]

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        reading = "/api/0/" in str(scope.get("path"))
        asked[0] += reading
        stumbles = reading and asked[0] % 3 == 0
        await (Response(status_code=502) if stumbles else inner)(scope, receive, send)

    with serving(outer) as url:
        yield url
