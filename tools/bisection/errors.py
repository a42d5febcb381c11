"""What keeps a commit from being tested, and what keeps all of them."""


class Unset(Exception):  # noqa: N818 - a word of the field
    """One commit cannot be set up, so it cannot tell. `why` names what to do about it.

    `beside`: so many others were being set up at the same time, if it was setup that failed.
    """

    def __init__(self, why: str, output: str = "", beside: int = 0) -> None:
        super().__init__(why)
        self.why, self.output, self.beside = why, output, beside


class Stop(Exception):  # noqa: N818 - a word of the field
    """No commit can be tested as things stand. `why` names what to do about it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoSpace(Stop):
    """The disk with the work trees is full."""


class Unfit(Stop):
    """The repository, or what is asked of it, cannot be bisected as it is."""


class Absent(Stop):
    """The command, or the setup command, does not exist on this machine."""


class Busy(Stop):
    """Another process runs the same bisection now."""
