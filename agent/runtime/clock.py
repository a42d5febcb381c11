"""The wall's clock, for live worlds. The lab has its own."""

from datetime import UTC, datetime


class WallClock:
    """World time is the machine's time. Fills `tools.site.Clock`."""

    def now(self) -> datetime:
        """Now, UTC, aware."""
        return datetime.now(UTC)

    def wall_s(self, world_s: float) -> float:
        """As many seconds as the world takes."""
        return world_s
