"""The environment. Its only reader, and small: a command that needs nothing else of the settings starts at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ENVIRONMENT: Final[Mapping[str, str]] = os.environ
"""As it is, live."""


def cache(environ: Mapping[str, str] = ENVIRONMENT) -> Path:
    """Where this user's programs keep what they can make again, by the XDG rules."""
    named = environ.get("XDG_CACHE_HOME", "")
    return Path(named) if named.startswith("/") else Path.home() / ".cache"
