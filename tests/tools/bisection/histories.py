"""Writes a plan as a real repository, in one go of git fast-import, and judges what a bisector says of it.

`python -m tests.tools.bisection.histories KIND SEED FOLDER` writes one to look at, of any size.
"""

import os
import subprocess
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click import echo

from tests.tools.bisection.contents import Contents
from tests.tools.bisection.plans import HINTS, KINDS, Plan, draw
from tools.bisection.words import Answer, Job

_CHEAP = ("-c", "core.fsync=none", "-c", "fastimport.unpackLimit=1")
_ADA = "Ada <ada@example.org>"
_START = 1_790_000_000
"""Seconds since 1970 of the first commit; each is ten minutes after the one before."""


@dataclass(frozen=True, slots=True)
class History:
    """A repository with a planted culprit."""

    plan: Plan
    repo: Path
    """Bare; where the test must be laid over the tree, the root of a work tree with nothing but the test."""
    shas: tuple[str, ...]
    """Of each commit of the plan."""

    def job(self, whole_s: float = 60.0) -> Job:
        """What to ask of a bisector."""
        good, bad = self.shas[self.plan.good], self.shas[self.plan.bad]
        overlay = ("check.sh",) if self.plan.kind == "deleted" else ()
        env = (("PATH", os.defpath),)
        return Job(
            self.repo, good, bad, ("/bin/sh", "check.sh"), overlay=overlay, env=env, timeout_s=20, whole_s=whole_s
        )

    def right(self, answer: Answer) -> bool:
        """Whether it says exactly what there is to say."""
        numbers = {sha: c for c, sha in enumerate(self.shas)}
        candidates = frozenset(numbers[sha] for sha in answer.candidates)
        return self.plan.right(answer.verdict, numbers.get(answer.culprit or ""), candidates)

    def wrong(self, answer: Answer) -> bool:
        """Whether it calls an innocent proven."""
        return self.plan.wrong(answer.verdict, self.shas.index(answer.culprit) if answer.culprit else None)


def history(plan: Plan, path: Path, *, work: str = "") -> History:
    """The plan, written at `path`; `work` is a line of shell that makes its test take longer."""
    contents = Contents(plan, work)
    bare = plan.kind != "deleted"
    marks = path / "marks"
    path.mkdir(parents=True)
    _git(path, "init", "--quiet", "--template=", "--initial-branch=main", *(["--bare"] if bare else []))
    feed = subprocess.Popen(  # noqa: S603 - tests' own words
        ("git", *_CHEAP, "fast-import", "--quiet", f"--export-marks={marks}"),  # noqa: S607 - whichever is there
        cwd=path, env=_env(path), stdin=subprocess.PIPE,
    )  # fmt: skip
    assert feed.stdin is not None
    with feed.stdin as pipe:
        pipe.writelines(_stream(plan, contents))
    assert feed.wait() == 0
    shas = dict(line.split(" ") for line in marks.read_text().splitlines())
    marks.unlink()
    if not bare:
        (path / "check.sh").write_text(contents.check)
    return History(plan, path, tuple(shas[f":{c + 1}"] for c in range(len(plan.parents))))


def _stream(plan: Plan, contents: Contents) -> Iterator[bytes]:
    before: dict[int, dict[str, str]] = {}
    last = {p: c for c, parents in enumerate(plan.parents) for p in parents}
    for c, (parents, files) in enumerate(zip(plan.parents, contents, strict=True)):
        old = before[parents[0]] if parents else {}
        yield f"commit refs/heads/main\nmark :{c + 1}\n".encode()
        yield f"author {_ADA} {_START + 600 * c} +0000\ncommitter {_ADA} {_START + 600 * c} +0000\n".encode()
        yield _data(contents.subject(c))
        yield "".join(f"{'merge' if n else 'from'} :{p + 1}\n" for n, p in enumerate(parents)).encode()
        yield "".join(f"D {name}\n" for name in old.keys() - files.keys()).encode()
        for name in sorted(files):
            if old.get(name) != files[name]:
                yield f"M 100644 inline {name}\n".encode() + _data(files[name])
        before[c] = files
        for p in parents:
            if last[p] == c:
                before.pop(p, None)
    for name, c in (("good", plan.good), ("bad", plan.bad)):
        yield f"reset refs/tags/{name}\nfrom :{c + 1}\n\n".encode()


def _data(text: str) -> bytes:
    blob = text.encode()
    return b"data %d\n%s\n" % (len(blob), blob)


def _env(path: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(path), "GIT_CONFIG_NOSYSTEM": "1"}


def _git(path: Path, *args: str) -> None:
    subprocess.run(("git", *args), cwd=path, env=_env(path), check=True)  # noqa: S603, S607 - tests' own words


def main() -> None:
    """Write one, and say what is planted in it."""
    asked = ArgumentParser(description=__doc__)
    asked.add_argument("kind", choices=KINDS)
    asked.add_argument("seed", type=int)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--size", type=int, default=0)
    asked.add_argument("--hint", choices=HINTS)
    given = asked.parse_args()
    plan = draw(given.kind, given.seed, given.size, given.hint)
    made = history(plan, given.folder.absolute())
    echo(f"{plan.kind} {plan.seed}: {len(plan.parents)} commits, traceback: {plan.hint}")
    echo(f"right: {' or '.join(sorted(plan.verdicts()))} {' '.join(made.shas[c] for c in sorted(plan.alike()))}")
    echo(f"cd {given.folder}; stanch bisect good bad --json -- /bin/sh check.sh")


if __name__ == "__main__":
    main()
