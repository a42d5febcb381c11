"""ADR: the post-mortem, a numbered file in the service's repository. Never commits."""

import asyncio
import os
import re
from datetime import UTC
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field

from tools.contract import Args, Effect, ToolFailed, tool
from tools.machine import held
from tools.observed import Declares, Noted, Stated
from tools.site import Case, Site
from tools.texts import Texts

_TOOL: Final = "adr_write"
_NUMBERED: Final = re.compile(r"(\d{3,})-.*\.md")
_LOCK_S: Final = 10.0

Text = Annotated[str, Field(min_length=1, max_length=4000)]
Item = Annotated[str, Field(min_length=1, max_length=300)]


class Moment(Args):
    """One moment of the timeline."""

    at: AwareDatetime
    what: Item


class Actions(Args):
    """What will keep it from coming back, by kind."""

    tests: tuple[Item, ...] = Field(default=(), max_length=20, description="Tests to add.")
    monitors: tuple[Item, ...] = Field(default=(), max_length=20, description="Monitors to add.")
    gates: tuple[Item, ...] = Field(default=(), max_length=20, description="Gates to tighten.")


class PostMortem(Declares):
    """A post-mortem. Its root cause is proven or confirmed by a human; there is no third way to write one."""

    title: Annotated[str, Field(min_length=1, max_length=120)]
    root_cause: Text
    cause_level: Literal["proven", "confirmed"]
    timeline: tuple[Moment, ...] = Field(min_length=1, max_length=60, description="Alert to resolved, oldest first.")
    why_not_caught_earlier: Text = Field(description="Why monitoring did not catch it earlier.")
    why_slipped_through: Text = Field(description="Why tests and CI let it through.")
    actions: Actions
    revisit_when: Text
    evidence: tuple[Annotated[str, Field(pattern=r"^E\d{1,6}$")], ...] = Field(min_length=1, max_length=60)
    culprit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")] | None = None
    approvals: tuple[Item, ...] = Field(
        default=(), max_length=100, description="Who allowed or denied what, word for word as the journal has it."
    )

    @property
    def cause(self) -> Stated:
        """Always: that is what a post-mortem is for."""
        return Stated(self.cause_level, self.culprit, self.evidence)

    @property
    def leave(self) -> tuple[str, ...] | None:
        """Its approvals."""
        return self.approvals


@tool(Effect.NOTE, timeout_s=60, key=lambda _: "post-mortem")
async def adr_write(args: PostMortem, site: Site, case: Case, texts: Texts) -> Noted:
    """Write the incident's post-mortem as the next ADR of the service's repository; once per incident.

    Use it last, when the root cause is proven or a human confirmed it, citing the evidence.
    Example: {"title": "Checkout failed for EUR", "root_cause": "…", "cause_level": "proven", "timeline":
    [{"at": "2026-11-23T03:02:00Z", "what": "Alert"}], "why_not_caught_earlier": "…", "why_slipped_through": "…",
    "actions": {"tests": ["…"], "monitors": [], "gates": []}, "revisit_when": "…", "evidence": ["E7"]}
    """
    folder = site.service.repo / site.service.adr
    try:
        async with held(site.home / "adr.lock", _LOCK_S):
            return await asyncio.to_thread(_written, args, site, case, texts)
    except TimeoutError as error:
        raise ToolFailed(_TOOL, "another ADR is being written; try again", retry=True) from error
    except OSError as error:
        raise ToolFailed(_TOOL, f"{folder} cannot be written; check its permissions and free space") from error


def _written(args: PostMortem, site: Site, case: Case, texts: Texts) -> Noted:
    folder = site.service.repo / site.service.adr
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {path: int(found[1]) for path in folder.iterdir() if (found := _NUMBERED.fullmatch(path.name))}
    for path, number in numbers.items():
        if f"\nIncident: {case.id}\n" in path.read_text(encoding="utf-8", errors="replace").partition("\n## ")[0]:
            return _noted(
                number, path, path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].partition(": ")[2]
            )
    found = case.findings()
    number = max(numbers.values(), default=0) + 1
    while True:
        path = folder / f"{number:04d}-{_slug(args.title)}.md"
        text = texts.render(
            "adr.md.j2", args=_utc(args), reference=f"ADR-{number:04d}", title=args.title, case=case.id, found=found,
            service=site.service.name, date=site.clock.now().date().isoformat(),
        )  # fmt: skip
        if _created(path, text):
            return _noted(number, path, args.title)
        number += 1


def _utc(args: PostMortem) -> PostMortem:
    moments = sorted((moment.at.astimezone(UTC), moment.what) for moment in args.timeline)
    return args.model_copy(update={"timeline": tuple(Moment(at=at, what=what) for at, what in moments)})


def _created(path: Path, text: str) -> bool:
    """Put the whole file there at once, and only if there is none: no crash leaves half an ADR."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".adr-", encoding="utf-8") as draft:
        draft.write(text)
        draft.flush()
        os.fsync(draft.fileno())
        Path(draft.name).chmod(0o644)
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return False
    return True


def _slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:60].strip("-") or "incident"


def _noted(number: int, path: Path, title: str) -> Noted:
    return Noted(reference=f"ADR-{number:04d}", url=str(path), title=title)
