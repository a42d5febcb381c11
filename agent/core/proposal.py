"""A call that somebody wants made: what the guard judges."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from agent.core.words import By
from tools.contract import Args, Effect


@dataclass(frozen=True, slots=True)
class Proposal:
    """A call, with its arguments parsed and its effect as the tool declares it."""

    tool: str
    effect: Effect
    args: Args
    key: str
    """The business key: incident, tool, and what it is about."""
    by: By

    @property
    def call(self) -> str:
        """Its fingerprint. With any other argument, or in another incident, it is another call."""
        return fingerprint(self.key, self.args.model_dump(mode="json"))


def fingerprint(key: str, args: Mapping[str, JsonValue]) -> str:
    """Of a call, 12 hex digits."""
    return hashlib.sha256(f"{key}\n{json.dumps(args, sort_keys=True)}".encode()).hexdigest()[:12]
