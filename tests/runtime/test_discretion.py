"""What a process of ours prints of itself shows no secret and obeys nobody, whichever library says it."""

import subprocess
import sys
from pathlib import Path

import agent
from tests.core.secrets import SECRETS

TOKEN = SECRETS["github"]
HOOK = "hunter2-opaque-value"
PROGRAM = f"""
import logging, threading, warnings, sys
import httpx
from agent.surface.cli import clean
from agent.runtime.discretion import discreet
logging.basicConfig(level=logging.DEBUG, format="%(message)s")
discreet(clean)
class Broken:
    def __str__(self): raise ValueError("no")
logging.getLogger("theirs").warning("with %s and %s", "{TOKEN}", {{"password": "swordfish"}})
logging.getLogger("httpx").info("HTTP Request: GET https://example.com/?token=%s", "{TOKEN}")
logging.getLogger("odd").warning("too few %s %s", "{HOOK}")
logging.getLogger("tty").warning("a\\x1b[2Jb\\u202ec")
warnings.warn("mind {HOOK}")
try:
    raise KeyError("{TOKEN}")
except KeyError:
    logging.getLogger("ours").exception("it broke")
def dies(): raise ValueError("in a thread: {HOOK}")
thread = threading.Thread(target=dies); thread.start(); thread.join()
try:
    raise OSError("{TOKEN}")
except OSError as cause:
    raise RuntimeError("at the end: {HOOK}") from cause
"""


def test_nothing_that_is_logged_warned_of_or_died_with_shows_a_secret() -> None:
    env = {"PATH": "/usr/bin:/bin", "MY_TOKEN": HOOK, "PYTHONPATH": str(Path(agent.__file__).parents[1])}
    ran = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)  # noqa: S603 - tests' own words
    told = ran.stdout + ran.stderr
    assert ran.returncode == 1
    for secret in (TOKEN, HOOK, "swordfish"):
        assert secret not in told
    assert "\x1b" not in told
    assert "\u202e" not in told
    for word in ("it broke", "KeyError", "in a thread", "at the end", "too few", "mind", "HTTP Request"):
        assert word in told
    assert "[redacted: MY_TOKEN]" in told
