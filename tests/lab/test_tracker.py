"""The stand-in tracker takes what the real sentry-sdk sends, and answers in Sentry's own shapes."""

from collections.abc import Generator
from datetime import timedelta

import httpx
import pytest

from agent.lab.tracker.app import app
from tests.openapi import assert_shape
from tests.serving import serving
from tests.telemetry import ACCOUNT, NOON, Shop, StoppedClock, Visit

BEARER = {"Authorization": f"Bearer {ACCOUNT.token}"}
LISTS = ("is:unresolved", "is:resolved", "")

VISITS = [
    *(Visit(minutes_ago=2, user=f"u{n % 3}", org="acme", error=KeyError) for n in range(6)),
    *(
        Visit(minutes_ago=40, user="u9", org="globex", region="us", release="shop@1.7.0", error=KeyError)
        for _ in range(2)
    ),
    *(Visit(minutes_ago=3, feature="/search", error=ValueError) for _ in range(3)),
    *(Visit(minutes_ago=5, user=f"u{n}") for n in range(20)),
]


@pytest.fixture(scope="module")
def api() -> Generator[httpx.Client]:
    """A client of a tracker that has seen VISITS."""
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        Shop(url).serve(VISITS)
        base = f"{url}/api/0/organizations/acme"
        with httpx.Client(base_url=base, headers=BEARER) as client:
            yield client


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/projects/", "/projects/?query=shop"),
        ("/issues/", "/issues/?statsPeriod=15m&sort=freq&query=is:unresolved&groupStatsPeriod=auto&project=1"),
        ("/issues/{issue_id}/", "/issues/1/"),
        ("/issues/{issue_id}/events/", "/issues/1/events/?statsPeriod=15m"),
        ("/issues/{issue_id}/events/{event_id}/", "/issues/1/events/latest/"),
        ("/issues/{issue_id}/tags/{key}/", "/issues/1/tags/user/"),
        ("/issues/{issue_id}/tags/{key}/values/", "/issues/1/tags/release/values/"),
        ("/events/", "/events/?dataset=errors&field=issue.id&field=transaction&field=count()&query=issue.id:[1,2]"),
        ("/events-timeseries/", "/events-timeseries/?dataset=errors&query=issue.id:1&interval=60&statsPeriod=1h"),
        (
            "/events-timeseries/",
            "/events-timeseries/?dataset=spans&yAxis=count(span.duration)&query=is_transaction:true&interval=60&statsPeriod=1h",
        ),
        ("/releases/", "/releases/"),
        ("/releases/{version}/deploys/", "/releases/shop%401.8.0/deploys/"),
    ],
)
def test_every_answer_has_the_shape_that_sentry_promises(api: httpx.Client, path: str, asked: str) -> None:
    response = api.get(asked)
    assert response.status_code == 200, response.text
    assert_shape(path, response.content)
    assert int(response.headers["X-Sentry-Rate-Limit-Remaining"]) >= 0


def test_a_row_counts_the_window_and_keeps_the_life_apart(api: httpx.Client) -> None:
    rows = api.get("/issues/?statsPeriod=15m&sort=freq").json()
    assert [(row["title"], row["count"], row["userCount"]) for row in rows] == [
        ("KeyError: 'CHF'", "6", 3),
        ("ValueError: CHF", "3", 1),
    ]
    assert rows[0]["lifetime"]["count"] == "8"
    assert rows[0]["lifetime"]["userCount"] == 4


def test_an_issue_knows_its_first_release_and_its_distribution(api: httpx.Client) -> None:
    [number] = [row["id"] for row in api.get("/issues/?statsPeriod=15m").json() if "KeyError" in row["title"]]
    issue = api.get(f"/issues/{number}/").json()
    assert issue["firstRelease"]["version"] == "shop@1.7.0"
    assert issue["firstSeen"] == (NOON - timedelta(minutes=40)).isoformat().replace("+00:00", "Z")
    users = api.get(f"/issues/{number}/tags/user/").json()
    assert (users["uniqueValues"], users["totalValues"]) == (4, 8)


def test_pages_follow_the_link_header(api: httpx.Client) -> None:
    first = api.get("/issues/?statsPeriod=15m&limit=1")
    assert len(first.json()) == 1
    assert first.links["next"]["results"] == "true"
    second = api.get(first.links["next"]["url"])
    assert second.json()[0]["id"] != first.json()[0]["id"]
    assert second.links["next"]["results"] == "false"


def test_traffic_counts_every_transaction(api: httpx.Client) -> None:
    asked = "dataset=spans&yAxis=count(span.duration)&query=is_transaction:true&interval=60&statsPeriod=1h"
    [series] = api.get(f"/events-timeseries/?{asked}").json()["timeSeries"]
    assert sum(point["value"] for point in series["values"]) == len(VISITS)
    assert [point["incomplete"] for point in series["values"]][-2:] == [False, True]


@pytest.mark.parametrize(
    "asked",
    [
        "/issues/?statsPeriod=15min",
        "/issues/?query=is:weird",
        "/events/?dataset=logs",
        "/events-timeseries/?dataset=logs",
        "/events-timeseries/?dataset=errors&interval=3600",
        "/events-timeseries/?dataset=errors&interval=60&start=x&end=y",
    ],
)
def test_a_question_it_does_not_know_is_refused(api: httpx.Client, asked: str) -> None:
    assert api.get(asked).status_code == 400


def test_it_opens_to_its_own_credentials_only() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        assert httpx.get(f"{url}/api/0/organizations/acme/issues/").status_code == 401
        assert (
            httpx.post(f"{url}/api/1/envelope/", headers={"X-Sentry-Auth": "Sentry sentry_key=no"}).status_code == 403
        )
        good = {"X-Sentry-Auth": "Sentry sentry_key=ingest-key, sentry_version=7"}
        assert httpx.post(f"{url}/api/1/envelope/", headers=good, content=b"no envelope").status_code == 400


def test_a_resolved_issue_comes_back_with_the_release_that_resolved_it() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        shop = Shop(url)
        shop.serve([Visit(error=KeyError), Visit(release="shop@1.8.1")])
        issue = f"{url}/api/0/organizations/acme/issues/1/"
        body = {"status": "resolved", "statusDetails": {"inRelease": "shop@1.8.1"}}
        answer = httpx.put(issue, headers=BEARER, json=body)
        assert answer.json()["status"] == "resolved"
        assert_shape("/issues/{issue_id}/", answer.content, "put")
        shop.serve([Visit(error=KeyError)])
        assert httpx.get(issue, headers=BEARER).json()["status"] == "resolved"
        shop.serve([Visit(error=KeyError, release="shop@1.8.1")])
        assert httpx.get(issue, headers=BEARER).json()["status"] == "unresolved"


def test_resolved_issues_are_listed_apart() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        Shop(url).serve([Visit(error=KeyError), Visit(error=ValueError)])
        with httpx.Client(base_url=f"{url}/api/0/organizations/acme", headers=BEARER) as api:
            api.put("/issues/1/", json={"status": "resolved"})
            listed = {query: len(api.get("/issues/", params={"query": query}).json()) for query in LISTS}
            assert listed == {"is:unresolved": 1, "is:resolved": 1, "": 2}
            api.put("/issues/1/", json={"status": "unresolved"})
            assert len(api.get("/issues/").json()) == 2
            assert api.put("/issues/1/", json={"status": "muted"}).status_code == 400
            assert api.put("/issues/1/", content=b"{").status_code == 400
            assert api.get("/issues/9/").status_code == 404
            assert api.get("/issues/1/events/none/").status_code == 404


def test_the_lab_can_take_it_down_and_bring_it_back() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        issues = f"{url}/api/0/organizations/acme/issues/"
        httpx.post(f"{url}/_lab/down", json={"down": True})
        assert httpx.get(issues, headers=BEARER).status_code == 503
        httpx.post(f"{url}/_lab/down", json={"down": False})
        assert httpx.get(issues, headers=BEARER).status_code == 200


def test_deploys_are_kept_with_their_release() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        deploys = f"{url}/api/0/organizations/acme/releases/shop%401.8.0/deploys/"
        made = httpx.post(deploys, headers=BEARER, json={"environment": "production"})
        assert made.status_code == 201
        assert_shape("/releases/{version}/deploys/", made.content, "post")
        assert httpx.get(deploys, headers=BEARER).json() == [made.json()]


def test_no_event_of_a_burst_is_lost() -> None:
    with serving(app(StoppedClock(), ACCOUNT)) as url:
        Shop(url).serve([Visit(user=f"u{n}", error=KeyError) for n in range(300)])
        [row] = httpx.get(f"{url}/api/0/organizations/acme/issues/?statsPeriod=15m", headers=BEARER).json()
    assert (row["count"], row["userCount"]) == ("300", 300)
