"""Moves that read the signal again: well, or not, or too little of it to tell."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from agent.core.facts import Called, Triaged, Verified
from agent.core.verify import judge
from agent.core.words import Blast, State
from agent.proof.acts import Act, Passes, Point, Reads, Who
from agent.proof.findings import FIVE
from agent.proof.premise import Given
from agent.proof.truth import Truth
from agent.proof.worlds import answers, series, signal
from tools.observed import Signal

LITTLE: Final = 10
"""Of 100 per minute: too little traffic to say anything."""
BURNING: Final = 30
SLOW: Final = 0.1
"""Events per minute."""


class Reading(NamedTuple):
    """One way that the signal looks when it is read again."""

    words: str
    errors: int = 0
    traffic: int = 100
    answered: bool = True
    final: bool = True
    """Nobody looks again."""
    minutes: int = 12
    """How far back it goes."""
    whole: bool = True
    """It is about all issues of the incident."""
    slow: bool = False
    """The incident brings so few events that silence of these minutes may be chance."""
    watched: bool = True
    """The tracker knows traffic from before the incident."""
    probed: bool = True
    """There are endpoints."""
    short: str = ""
    """The one series that goes back one minute only."""
    hot: str = ""
    """The one series that burns on."""

    @property
    def well(self) -> bool:
        """Nothing is wrong in it."""
        calm = not self.errors and not self.hot and self.traffic > LITTLE and not self.slow and self.watched
        seen = self.minutes > FIVE and not self.short and self.whole
        return calm and seen and self.answered and self.probed


SERIES: Final = ("incident", "errors", "traffic")
READINGS: Final = (
    Reading("all is well", final=False),
    Reading("there is time to look again, and it burns on", errors=30, final=False),
    Reading("it burns on", errors=30),
    Reading("it is silent, but so is the traffic, nearly", traffic=LITTLE),
    Reading("it is silent, but an endpoint fails", answered=False),
    Reading("it is silent, as far as the one minute goes that can be seen", minutes=1),
    Reading("other issues are silent", whole=False),
    Reading("it is silent, as so slow an incident may be by chance", slow=True),
)
DOUBTFUL: Final = (
    *(Reading(f"it is silent, but of the {series} one minute is seen", short=series) for series in SERIES),
    *(Reading(f"the {series} burn on, and nothing else", hot=series) for series in ("incident", "errors")),
    Reading("it is silent, as the tracker is without traffic", watched=False),
    Reading("it is silent, and there is no endpoint to ask", probed=False),
)
UNREAD: Final = Verified(
    recovered=False, final=True, read=False, rate_before=0, rate_after=0, baseline=0, traffic=0, answered=True,
    why="the signal cannot be read",
)  # fmt: skip


DARK: Final = UNREAD.model_copy(update={"answered": False})


def verifies(_given: Given, at: Point) -> Iterator[Act]:
    """The signal is read again; or cannot be."""
    if at.truth.ended is not State.OPEN:
        return
    unread = at.truth._replace(well=False, answered=True)
    yield Act(Who.CODE, "cannot read the signal again", Passes(), unread, (UNREAD,))
    if at.incident.triage is None:
        yield Act(Who.CODE, "finds no signal, and a dead endpoint", Passes(), unread._replace(answered=False), (DARK,))
    yield from reads(at, READINGS, since(at))


def doubts(_given: Given, at: Point) -> Iterator[Act]:
    """The signal is read again, and in one thing alone it is not as it should be."""
    if at.truth.ended is State.OPEN:
        yield from reads(at, DOUBTFUL, since(at))


def reads(at: Point, readings: tuple[Reading, ...], begun: datetime, *then: Called) -> Iterator[Act]:
    """Each of these, judged by when production last changed; `then` is what was read of the deploys afterwards."""
    triage = at.incident.triage
    for reading in readings if triage else ():
        verified = _read(triage, begun, at.now, reading)
        right = at.truth.trouble is None or (reading.well and _age(at.truth) >= FIVE)
        deed = Reads(verified.recovered, right)
        verified = verified.model_copy(update={"deploys": at.incident.facts + 1}) if then else verified
        words = f"reads the signal again: {reading.words}"
        yield Act(Who.CODE, words, deed, _seen(at.truth, reading), (*then, verified))


def _age(truth: Truth) -> int:
    """Minutes since the last CHANGE, or somebody else's, or the opening."""
    last = (*truth.runs[-1:], *truth.theirs[-1:])
    return min((one.age for one in last), default=truth.age)


def since(at: Point) -> datetime:
    """When waiting begins: when the last CHANGE came back, or at the opening."""
    last = at.incident.last_change
    return last.at if last else at.incident.opened_at or at.now


_READ: Final[dict[tuple[Blast | None, datetime, datetime, Reading], Verified]] = {}


def _read(triage: Triaged | None, since: datetime, now: datetime, reading: Reading) -> Verified:
    """What `verify.py` makes of it; it sees the same few readings again and again."""
    known = (triage and triage.blast, since, now, reading)
    if known not in _READ and triage:
        seen = _signal(triage, now, reading)
        slow, blind = ({"rate": SLOW} if reading.slow else {}), ({} if reading.watched else {"traffic": 0.0})
        well = answers(reading.answered) if reading.probed else ()
        _READ[known] = judge(triage.model_copy(update=slow | blind), since, seen, well, final=reading.final)
    return _READ[known]


def _signal(triage: Triaged, now: datetime, reading: Reading) -> Signal:
    seen = signal(now, reading.errors, reading.traffic, reading.minutes, triage.issues if reading.whole else ())
    short = {reading.short: series(0 if reading.short != "traffic" else reading.traffic, now, 1)}
    hot = {reading.hot: series(BURNING, now)}
    return seen.model_copy(update={name: points for name, points in (short | hot).items() if name})


def _seen(truth: Truth, reading: Reading) -> Truth:
    late = _age(truth) >= FIVE
    well = reading.well and late and truth.trouble is not None
    last = reading.final or (reading.well and late)
    runs = tuple(run._replace(read=run.read or (last and run.age >= FIVE)) for run in truth.runs)
    return truth._replace(well=well, runs=runs, answered=reading.answered)


def hurries(_given: Given, at: Point) -> Iterator[Act]:
    """A reading is kept as good that came too early: a fault of the clock, or of whoever read it."""
    if at.truth.ended is State.OPEN and _age(at.truth) < FIVE:
        yield Act(Who.NOBODY, "keeps a reading as good that came too early", Passes(), at.truth, (HURRIED,))


HURRIED: Final = Verified(
    recovered=True, final=True, rate_before=30, rate_after=0, baseline=0, traffic=100, answered=True, why="all is well"
)
