"""Recovery: whether the signal that opened the incident is back at its baseline, with traffic present."""

from datetime import datetime, timedelta
from math import ceil

from agent.core.blast import MINUTE, mean, minute_of
from agent.core.facts import Triaged, Verified
from agent.core.incident import ChangeMade
from agent.core.limits import (
    MAX_VERIFY_WAIT,
    MIN_EXPECTED,
    MIN_TRAFFIC_SHARE,
    MIN_VERIFY_WAIT,
    READING_MINUTES,
    RESIDUE_SHARE,
    TOLERANCE,
)
from agent.core.words import Outcome
from tools.observed import Answered, Deployment, Deployments, Point, Signal


def window(asked: tuple[int, int] | None, triage: Triaged | None = None) -> tuple[timedelta, timedelta]:
    """(first reading, last reading) after a CHANGE, world time. A skill may ask for longer, never for shorter.

    Of a slow incident, silence must be longer to say anything.
    """
    least, most = MIN_VERIFY_WAIT // MINUTE, MAX_VERIFY_WAIT // MINUTE
    first, last = (min(max(minutes, least), most) for minutes in asked or (least, 10))
    if triage and triage.issues and triage.rate > 0:
        last = max(last, min(ceil(MIN_EXPECTED / triage.rate) + 2, most))
    return first * MINUTE, max(first, last) * MINUTE


def judge(triage: Triaged, since: datetime, reading: Signal, answers: tuple[Answered, ...], *, final: bool) -> Verified:
    """One reading. `since` is when production last changed, by whomever, or when waiting began if it did not.

    Only whole minutes after the one in which the change landed count. `final` says that nobody looks again.
    """
    rate = max(_rates_after(reading.errors, since))
    incident = max(_rates_after(reading.incident, since))
    traffic = min(_rates_after(reading.traffic, since))
    silent = _endpoints(answers)
    complaints = [
        *_time(triage, reading, since),
        *_traffic(triage, traffic),
        *_silence(triage, reading, since),
        *_rates(triage, rate, incident),
        *silent,
    ]
    return Verified(
        recovered=not complaints,
        final=final or not complaints,
        rate_before=triage.rate + triage.baseline - triage.own_baseline,
        rate_after=rate,
        baseline=triage.baseline,
        traffic=traffic,
        answered=not silent,
        why="; ".join(complaints) or "the event rate is back at its baseline, with traffic, and the endpoints answer",
    )


def meanwhile(made: ChangeMade | None, begun: datetime, ran: Deployments) -> Deployment | None:
    """What somebody else deployed since `begun`, when our last CHANGE came back; the newest, None when nobody did.

    Production is not what our CHANGE made of it then: the wait begins anew, and a recovery may be the other's doing.
    Ours came back well, right after what ran before it; and nobody has put that out again, and back, since.
    """
    last, since = (ran.history[-1] if ran.history else None), [one for one in ran.history if one.at > begun]
    mine = [made.was, made.to] if made and made.outcome is Outcome.OK and not since[1:] else None
    ours = [one.release for one in ran.history[-2:]] == mine
    if last is None or ours or last.at <= begun:
        return None
    return last.model_copy(update={"at": min(last.at, ran.at)})


def _after(series: tuple[Point, ...], since: datetime) -> list[Point]:
    start = minute_of(since) + MINUTE
    return [point for point in series if point.at >= start]


def _rates_after(series: tuple[Point, ...], since: datetime) -> tuple[float, float]:
    """Rate over all minutes since the change, and over the last few: neither may hide the other."""
    after = _after(series, since)
    return mean(after), mean(after[-READING_MINUTES:])


def _time(triage: Triaged, reading: Signal, since: datetime) -> list[str]:
    """A minute that a series lacks is not a quiet one. Without hot issues there is no series of their own."""
    needed = [reading.errors, reading.traffic, *([reading.incident] if triage.issues else [])]
    minutes = min(len(_after(series, since)) for series in needed)
    if reading.at - since < MIN_VERIFY_WAIT or minutes < READING_MINUTES:
        return [f"too early: {minutes} whole minutes after the change, {READING_MINUTES} needed, and 5 min of waiting"]
    missing = set(triage.issues) - set(reading.issues)
    return [f"the reading leaves out {len(missing)} of the incident's issues"] if missing else []


def _traffic(triage: Triaged, traffic: float) -> list[str]:
    if triage.traffic <= 0:
        return ["the tracker knows no traffic from before the incident, so silence proves nothing"]
    if traffic < triage.traffic * MIN_TRAFFIC_SHARE:
        return [f"traffic is {traffic:.1f}/min against {triage.traffic:.1f}/min before: silence proves nothing"]
    return []


def _silence(triage: Triaged, reading: Signal, since: datetime) -> list[str]:
    """A slow incident is silent for minutes while it goes on."""
    traffic = _after(reading.traffic, since)
    share = min(mean(traffic) / triage.traffic, 1.0) if triage.traffic else 0.0
    expected = triage.rate * len(traffic) * share
    if not triage.issues or expected >= MIN_EXPECTED:
        return []
    at = f"at {triage.rate:.1f}/min it would have brought {expected:.1f} events by now"
    return [f"too early: {at}, and of fewer than {MIN_EXPECTED} none may come by chance"]


def _rates(triage: Triaged, rate: float, incident: float) -> list[str]:
    complaints: list[str] = []
    if incident > triage.own_baseline + RESIDUE_SHARE * triage.rate:
        complaints.append(f"the incident's issues still come at {incident:.1f}/min (were {triage.rate:.1f}/min)")
    if rate > triage.baseline + TOLERANCE:
        complaints.append(f"errors are at {rate:.1f}/min, baseline {triage.baseline:.1f}/min")
    return complaints


def _endpoints(answers: tuple[Answered, ...]) -> list[str]:
    if not answers:
        return ["no endpoint was probed"]
    dead = [f"{answer.endpoint} ({answer.status or 'no answer'})" for answer in answers if not answer.ok]
    return [f"endpoints fail: {', '.join(dead)}"] if dead else []
