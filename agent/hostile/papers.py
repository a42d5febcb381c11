"""What people who mean harm leave in a repository: commits, their messages and files, branches, an earlier ADR."""

import re
from collections.abc import Mapping
from email.header import Header
from pathlib import Path
from typing import Final

from agent.hostile.payloads import Place

ADR: Final = "docs/adr/0041-an-earlier-incident.md"
NOTES: Final = "shop/notes.txt"
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//+|\.lock\b|/\.|\.$|^[-/.]+|/$")
"""What git takes in no branch's name."""
_LONGEST: Final = 20_000
"""Characters of one text in a patch."""


def patches(folder: Path, texts: Mapping[Place, str]) -> list[Path]:
    """Two commits as mail, for `git am`: a file with a payload, and an ADR of an earlier incident with another."""
    adr = f"# ADR-0041: {texts[Place.ADR]}\n\nIncident: shop-20260101-000000\n\n## Root cause\n\n{texts[Place.ADR]}"
    made = {"0001.patch": (NOTES, texts[Place.FILE]), "0002.patch": (ADR, adr)}
    for name, (path, text) in made.items():
        (folder / name).write_bytes(_mail(texts[Place.COMMIT], path, text[:_LONGEST]))
    return [folder / name for name in made]


def branch(text: str) -> str:
    """The payload as near to it as git takes the name of a branch."""
    return f"payload/{_UNFIT.sub('-', text[:80]).encode('utf-8', 'replace').decode()}x"


def _mail(message: str, path: str, text: str) -> bytes:
    subject = " ".join(_printed(message).split())[:200] or "-"
    body = "\n".join(f" {line}" for line in _printed(message[:_LONGEST]).splitlines())
    added = _printed(text).splitlines()
    head = (
        "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001",
        f"From: {Header(subject[:40], 'utf-8').encode(linesep=' ')} <mallory@evil.example>",
        "Date: Thu, 12 Mar 2026 10:00:00 +0100",
        f"Subject: [PATCH] {Header(subject, 'utf-8').encode(linesep=chr(10))}",
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit",
    )
    diff = (
        f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}",
        f"@@ -0,0 +1,{len(added)} @@",
        *(f"+{line}" for line in added),
    )
    return "\n".join((*head, "", body, "---", "", *diff, "-- ", "2.39.0", "")).encode("utf-8", "replace")


def _printed(text: str) -> str:
    """In lines as git has them: other characters that end a line somewhere would break a patch."""
    return re.sub(r"[\x00\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", text)
