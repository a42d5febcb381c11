"""The ceilings. Constants on purpose: no setting, flag or skill can raise one; settings may tighten the budget."""

from datetime import timedelta
from typing import Final

MAX_TURNS: Final = 60
"""Model turns of one incident; more turns made answers worse in every public benchmark."""

MAX_PHASE_TURNS: Final = 20
"""Model turns of one phase, so that one phase cannot starve the others."""

MAX_CALLS: Final = 300
"""Calls of one incident, made or refused: a planner can ask for hundreds in one turn."""

MAX_TOKENS: Final = 2_000_000
"""Tokens of one incident, in and out together."""

MAX_COST_USD: Final = 25.0
"""What one incident may cost at the provider."""

MAX_OPEN: Final = timedelta(hours=4)
"""World time from alert to end; an incident older than that needs people."""

APPROVAL_WAIT: Final = timedelta(minutes=30)
"""World time that a phase waits for a human to allow a call that the guard holds back."""

MAX_CHANGES: Final = 2
"""CHANGEs of one incident: one that stops the bleeding, one that mends it."""

MIN_VERIFY_WAIT: Final = timedelta(minutes=5)
"""World time between the last CHANGE and the reading that may call it recovered."""

MAX_VERIFY_WAIT: Final = timedelta(minutes=30)
"""A skill may ask for more patience than the minimum, not for an endless one."""

READING_MINUTES: Final = 3
"""Full minutes after the wait begins that a recovery reading must hold."""

MIN_TRAFFIC_SHARE: Final = 0.25
"""Traffic after a CHANGE, as a share of traffic before the incident, below which silence proves nothing."""

MIN_EXPECTED: Final = 4.6
"""Events that the incident would have brought since the CHANGE, had it gone on: of fewer, none may come by chance.
With so many the chance is 1 %."""

RESIDUE_SHARE: Final = 0.1
"""Share of the incident's own rate that may remain (old tabs, queued jobs) and still count as recovered."""

HOT_FACTOR: Final = 3.0
"""An issue is hot when its recent rate is this many times its baseline."""

HOT_RISE: Final = 4.0
"""Events per minute that an old issue must rise above its baseline: chance alone moves a slow one that much."""

ONSET_MINUTES: Final = 2
"""Minutes that an old issue must stand out together before its onset is believed."""

YOUNG: Final = timedelta(days=1)
"""An issue that was first seen less than this ago has no baseline but zero, however long it burns."""

HOT_EVENTS: Final = 3
"""Events that a new issue needs before it counts as hot: one event is an anecdote."""

LOOKS: Final = 3
"""Times, a minute apart, that triage looks again when it came too early to see whom it hits."""

RECENT_MINUTES: Final = 5
"""Minutes that make up an issue's recent rate."""

TOLERANCE: Final = 1.0
"""Events per minute above the baseline that still count as recovered (one straggler is not an outage)."""

DEPLOY_TAKES: Final = timedelta(minutes=15)
"""Errors may begin this long before a deploy is recorded: its first instances serve while it is still under way."""

DEPLOY_WINDOW: Final = timedelta(minutes=30)
"""Errors that begin within this time after a deploy are suspected to come from it."""

MAX_EVIDENCE_CHARS: Final = 4_000
"""What a planner is shown of one piece of evidence."""

MAX_SUSPECTS: Final = 20
"""Commits that stand for themselves in a hypothesis tree; nobody reads more."""
