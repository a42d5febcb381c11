"""The world's clock: one file that every process of a lab reads, so that all agree on the time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EPOCH = datetime(2026, 3, 17, 2, 40, tzinfo=UTC)
"""A Tuesday, and the middle of the night."""
SPEED = 120.0
"""Five minutes of the world, the least that a verification waits, take 2.5 s."""


class LabClock(BaseModel):
    """World time = `epoch` + (wall - `started`) * `speed`. Fills `tools.site.Clock`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: AwareDatetime
    started: float
    """Wall clock, seconds since 1970, when it was `epoch`."""
    speed: float = Field(gt=0)

    @classmethod
    def set_going(cls, file: Path, *, epoch: datetime = EPOCH, speed: float = SPEED) -> Self:
        """It is `epoch` now; written to `file`."""
        clock = cls(epoch=epoch, started=time(), speed=speed)
        file.write_text(clock.model_dump_json(), encoding="utf-8")
        return clock

    @classmethod
    def read(cls, file: Path) -> Self:
        """The clock that `file` holds. Raises OSError, and ValueError when it holds none."""
        return cls.model_validate_json(file.read_text(encoding="utf-8"))

    def now(self) -> datetime:
        """The world's time, UTC, aware."""
        return self.epoch.astimezone(UTC) + timedelta(seconds=(time() - self.started) * self.speed)

    def wall_s(self, world_s: float) -> float:
        """How many seconds of the wall's clock `world_s` seconds of the world take."""
        return world_s / self.speed
