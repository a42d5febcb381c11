"""Sentry's JSON about issues. A row's counts are those of the window; a detail's are those of its whole life."""

from datetime import UTC, datetime

from pydantic import JsonValue

from agent.lab.tracker.envelope import Json
from agent.lab.tracker.project import Account, identity, stamp
from agent.lab.tracker.store import EVERY, Group, Seen, Window


def listed(group: Group, window: Window, account: Account) -> Json:
    """A row of the issues list: counts are those of the window, `lifetime` has the rest."""
    counts = group.within(window)
    users = sum(key == "user" for key, _ in counts)
    minutes = [at for at in window.minutes if at in group.by_minute]
    first = max(group.life.first, datetime.fromtimestamp(minutes[0] * 60, UTC)) if minutes else None
    stats: Json = {"auto": [[at * 60, group.by_minute[at][EVERY]] for at in minutes]}
    return {
        **_common(group, account),
        "isUnhandled": True,
        "count": str(counts[EVERY]),
        "userCount": users,
        "firstSeen": first and stamp(first),
        "lastSeen": stamp(group.life.last) if minutes else None,
        "stats": stats,
        "lifetime": {**_life(group), "stats": {}},
        "filtered": None,
        "derivedData": {
            "blocker": "none",
            "progress": "none",
            "status": "none",
            "viewCount": 0,
            "hasOpenFixPr": False,
            "isAssigned": False,
            "hasRootCause": False,
            "lastCompletedAutofixStep": "none",
            "lastProgressedAt": None,
        },
        "sessionCount": 0,
        "inbox": {"reason": 0, "reason_details": None, "date_added": stamp(group.life.first)},
        "owners": {"type": "ownershipRule", "owner": "team:shop", "date_added": stamp(group.life.first)},
        "integrationIssues": [],
        "sentryAppIssues": [],
        "latestEventHasAttachments": False,
        "matchingEventId": None,
        "matchingEventEnvironment": None,
    }


def detailed(group: Group, account: Account) -> Json:
    """An issue with its whole life."""
    last = group.newest_first()[0].release
    keys = sorted({key for key, _ in group.facets})
    return {
        **_common(group, account),
        **_life(group),
        "isUnhandled": True,
        "firstRelease": {"version": group.first_release} if group.first_release else None,
        "lastRelease": {"version": last} if last else None,
        "tags": [{"key": key, "name": key.title(), "totalValues": group.life.count} for key in keys],
        "stats": {},
        "activity": [],
        "seenBy": [],
        "participants": [],
        "userReportCount": 0,
    }


def mutated(group: Group, account: Account) -> Json:
    """What a PUT answers."""
    return _common(group, account) | _life(group)


def tag_key(group: Group, key: str) -> Json:
    """Distribution of one tag over the issue's life: its nine most frequent values."""
    values = group.life_of(key)
    top: list[JsonValue] = [tag_value(key, value, seen) for value, seen in values[:9]]
    total = sum(seen.count for _, seen in values)
    return {"key": key, "name": key.title(), "uniqueValues": len(values), "totalValues": total, "topValues": top}


def tag_value(key: str, value: str, seen: Seen) -> Json:
    """One value of a tag."""
    first, last = stamp(seen.first), stamp(seen.last)
    return {"key": key, "name": value, "value": value, "count": seen.count, "firstSeen": first, "lastSeen": last}


def _life(group: Group) -> Json:
    users = sum(key == "user" for key, _ in group.facets)
    seen = group.life
    return {
        "count": str(seen.count), "userCount": users, "firstSeen": stamp(seen.first), "lastSeen": stamp(seen.last),
    }  # fmt: skip


def _common(group: Group, account: Account) -> Json:
    details: Json = {} if not group.resolved_in else {"inRelease": group.resolved_in}
    resolved, top = group.resolved_in is not None, group.raised.top
    nothing: Json = dict.fromkeys(
        ("shareId", "logger", "priorityLockedAt", "seerFixabilityScore", "seerAutofixLastTriggered",
         "seerExplorerAutofixLastTriggered", "assignedTo", "subscriptionDetails")
    )  # fmt: skip
    return {
        **nothing,
        "id": str(group.id),
        "shortId": f"{account.project.upper()}-{group.id}",
        "title": group.title,
        "culprit": group.events[-1].transaction,
        "permalink": f"https://{account.organization}.sentry.example/issues/{group.id}/",
        "level": group.level,
        "status": "resolved" if resolved else "unresolved",
        "statusDetails": details,
        "substatus": None if resolved else "ongoing",
        "isPublic": False,
        "platform": "python",
        "priority": "high",
        "project": identity(account),
        "type": "error",
        "issueType": "error",
        "issueCategory": "error",
        "metadata": {
            "type": group.raised.type,
            "value": group.raised.value or "",
            "filename": top.filename or "",
            "function": top.function or "",
        },
        "numComments": 0,
        "isBookmarked": False,
        "isSubscribed": False,
        "hasSeen": False,
        "annotations": [],
    }
