"""Everybody but the service, in one process: `python -m agent.lab.servers HOME`."""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from agent.lab import linear, pagerduty, partner, slack
from agent.lab.clock import LabClock
from agent.lab.premises import ACCOUNT, Premises
from agent.lab.renewal import Renewable
from agent.lab.tracker import app as tracker

LOG = "warning"


def world(clock: LabClock) -> Starlette:
    """The tracker, the tickets, the chat, the pager and the third party, each under its name."""
    return Starlette(
        routes=[
            Mount("/tracker", tracker.app(clock, ACCOUNT)),
            Mount("/linear", linear.app(now=clock.now)),
            Mount("/slack", slack.app(now=clock.now)),
            Mount("/pagerduty", pagerduty.app(now=clock.now)),
            Mount("/partner", partner.app()),
        ]
    )


def main(home: Path) -> None:
    """Serve until SIGTERM."""
    premises = Premises.find(home)
    clock = LabClock.read(premises.clock)
    app = Renewable(lambda: world(clock), clock.now)
    uvicorn.run(app, host="127.0.0.1", port=premises.world_port, log_level=LOG, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
