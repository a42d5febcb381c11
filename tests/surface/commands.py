"""Runs `stanch` as its entry point does, in this process."""

import sys

import pytest

from agent.surface.cli import main


def stanch(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of `stanch WORDS…`; what it prints goes to capsys."""
    monkeypatch.setattr(sys, "argv", ["stanch", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code if isinstance(left.value.code, int) else 0
