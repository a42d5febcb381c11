"""Git for a bisection: the user's repository is only read, by tiny repositories of ours that borrow its objects."""

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tools.bisection.errors import Unfit
from tools.bisection.processes import MARK, shielded
from tools.machine import gone, spawned

_GIT_S: Final = 1800.0
"""Most that one git may take: a first checkout of a huge repository, through filters, takes minutes."""
_OURS: Final = {
    "advice.detachedHead": "false",
    "core.fsmonitor": "false",
    "core.fsync": "none",  # a tree that a crash left is made anew
    "core.hooksPath": os.devnull,
    "core.logAllRefUpdates": "false",
    "core.quotePath": "false",
    "gc.auto": "0",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "safe.directory": "*",  # the user named the repository; its owner may be another account
    "submodule.recurse": "false",
}
_CARRIED: Final = re.compile(
    r"core\.(attributesfile|autocrlf|eol|filemode|ignorecase|precomposeunicode|protecthfs|protectntfs|symlinks)"
    r"|filter\..*\.(clean|smudge|process|required)|extensions\.objectformat"
)
"""What of the user's configuration decides the bytes that a checkout writes. Filters are the user's own programs, which
`git bisect` runs as well: without Git LFS's the trees would hold its pointers."""


_FILTERED: Final = re.compile(r"smudge|external filter|\blfs\b")
_SAID_CHARS: Final = 200


class Said(NamedTuple):
    """What git said."""

    status: int
    out: str
    error: str


def environment(caller: Mapping[str, str]) -> dict[str, str]:
    """Git with no hook, prompt, network or lock for reading; `caller` says where programs and its own settings are."""
    kept = {name: caller[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME", "USERPROFILE") if name in caller}
    pairs = enumerate(_OURS.items())
    config = {f"GIT_CONFIG_{part}_{n}": text for n, (k, v) in pairs for part, text in (("KEY", k), ("VALUE", v))}
    return kept | config | {
        "GIT_CONFIG_COUNT": str(len(_OURS)),
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",  # trees are checked out by their objects, so history is read by them too
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "C",
    }  # fmt: skip


async def git(*args: str, cwd: Path, env: Mapping[str, str], stdin: str = "") -> Said:
    """Run git to its end. Raises Unfit when there is no git."""
    process = await _spawned(args, cwd, env)
    try:
        async with asyncio.timeout(_GIT_S):
            out, error = await process.communicate(os.fsencode(stdin))
    except TimeoutError:
        return Said(-1, "", f"git {args[0]} did not end within {_GIT_S:.0f} s")
    finally:
        await gone(process)
    return Said(process.returncode or 0, os.fsdecode(out), error.decode("utf-8", "replace").strip())


async def _spawned(args: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Process:
    try:
        error = PIPE if args[0] != "cat-file" else DEVNULL
        return await spawned(
            asyncio.create_subprocess_exec("git", *args, cwd=cwd, env=env, stdin=PIPE, stdout=PIPE, stderr=error)
        )
    except FileNotFoundError as error:
        raise Unfit(
            f"git cannot be started in {cwd}: it is not installed, not in PATH, or there is no such folder"
        ) from error


def unset(repo: Path, commit: str, said: str) -> str:
    """Why git cannot check out a commit, by the last line of what it said, and what to do about it."""
    why = (said.strip().splitlines() or ["it says nothing"])[-1][:_SAID_CHARS]
    todo = (
        f"where that is Git LFS, `git lfs fetch --all` in {repo} gets what is missing"
        if _FILTERED.search(said)
        else f"run `git fsck` in {repo}"
    )
    return f"git cannot check out {commit[:12]}: {why}; {todo}"


@dataclass(frozen=True, slots=True)
class Lender:
    """A git directory of the user's that lends its objects."""

    git_dir: Path
    common: Path
    """The same, but for a linked work tree: there the repository's, in which the objects are."""

    @classmethod
    def of(cls, repo: Path) -> "Lender":
        """Of a work tree's root or a bare repository. Raises Unfit when it is neither."""
        dot = repo / ".git"
        if dot.is_file():
            named = dot.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            git_dir = Path(os.path.normpath(repo / named))
        else:
            git_dir = dot if dot.is_dir() else repo
        above = git_dir / "commondir"
        common = Path(os.path.normpath(git_dir / above.read_text().strip())) if above.is_file() else git_dir
        if not (common / "objects").is_dir():
            raise Unfit(f"{repo} is neither the root of a git work tree nor a bare repository")
        return cls(git_dir, common)

    def alternates(self) -> list[Path]:
        """Its object directory and those that it borrows from: git follows a relative one only from the first."""
        found = [(self.common / "objects").resolve()]
        for objects in found:
            listed = objects / "info" / "alternates"
            lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
            paths = [Path(os.path.normpath(objects / line)) for line in lines if line and not line.startswith("#")]
            found += [path for path in paths if path not in found]
        return found

    def module(self, name: str, checkout: Path | None) -> "Lender | None":
        """That of a submodule, if the user has it: by its name, or in older clones in its `checkout`."""
        places = [self.git_dir / "modules" / name, self.common / "modules" / name]
        places += [checkout / ".git"] if checkout else []
        return next((Lender(place, place) for place in places if (place / "objects").is_dir()), None)


@dataclass(frozen=True, slots=True)
class Source:
    """The user's repository, as far as our trees need to know it."""

    repo: Path
    lender: Lender
    bare: bool
    partial: bool
    config: str
    tags: str
    env: Mapping[str, str]
    """For git in a tree of ours: of the user's configuration there is only `config`."""

    @classmethod
    async def read(cls, repo: Path, caller: Mapping[str, str]) -> "Source":
        """Read it. Raises Unfit when it cannot be read."""
        lender, env = await asyncio.to_thread(Lender.of, repo), environment(caller)
        at = (f"--git-dir={lender.git_dir}",)
        config, tags = await asyncio.gather(
            git(*at, "config", "--list", "-z", cwd=repo, env=env),
            git(*at, "for-each-ref", "--format=%(objectname) %(refname)", "refs/tags", cwd=repo, env=env),
        )
        if config.status or tags.status:
            raise Unfit(f"git cannot read {repo}; check that this user may, or run `git fsck` there")
        entries = (entry.partition("\n") for entry in config.out.split("\0") if entry)
        pairs = {key: value for key, _, value in entries}
        partial = any(key.startswith("remote.") and key.endswith((".promisor", ".partialclonefilter")) for key in pairs)
        ours = env | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
        bare = pairs.get("core.bare") == "true" and not (repo / ".git").exists()
        return cls(repo, lender, bare, partial, _written(pairs), tags.out, ours)

    def at(self, root: Path) -> dict[str, str]:
        """For git in the tree at `root`, and in no repository around it should its own be gone."""
        return {**self.env, "GIT_DIR": str(root / ".git"), "GIT_WORK_TREE": str(root), MARK: str(root)}


def _written(pairs: Mapping[str, str]) -> str:
    """A configuration file for our repositories, with what is carried over of the user's."""
    version = 1 if "extensions.objectformat" in pairs else 0
    lines = [f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n"]
    for key, value in pairs.items():
        if _CARRIED.fullmatch(key):
            section, _, rest = key.partition(".")
            name, _, last = rest.rpartition(".")
            lines.append(f"[{section} {_quoted(name)}]\n" if name else f"[{section}]\n")
            lines.append(f"\t{last} = {_quoted(value)}\n" if value else f"\t{last}\n")
    return "".join(lines)


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t"))


def files(source: Source, lender: Lender) -> dict[str, bytes]:
    """The files of a tiny repository that borrows the objects of `lender`, each as it must be at every checkout."""
    made = {
        "objects/info/alternates": "".join(f"{path}\n" for path in lender.alternates()).encode(),
        "packed-refs": source.tags.encode() if lender == source.lender else b"",
        "config": os.fsencode(source.config),
    }
    for name in ("shallow", "info/attributes"):
        if (lender.common / name).is_file():
            made[name] = (lender.common / name).read_bytes()
    return made


def make(git_dir: Path, made: Mapping[str, bytes]) -> None:
    """Write a tiny repository; its HEAD, without which git sees none, comes last."""
    (git_dir / "refs").mkdir(parents=True)
    for name, data in made.items():
        (git_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (git_dir / name).write_bytes(data)
    (git_dir / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")


class Found(NamedTuple):
    """An object."""

    sha: str
    kind: str


@dataclass(slots=True)
class Objects:
    """Asks for objects by name, e.g. `<commit>:path`, of one git that stays: a question takes no process."""

    process: Process
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    @asynccontextmanager
    async def opened(cls, source: Source, git_dir: Path) -> AsyncGenerator["Objects"]:
        """Through a tiny repository of its own, made at `git_dir`: so that nothing is ever fetched."""
        await asyncio.to_thread(lambda: make(git_dir, files(source, source.lender)))
        env = {**source.env, "GIT_DIR": str(git_dir)}
        process = await _spawned(("cat-file", "--batch-check=%(objectname) %(objecttype)"), git_dir, env)
        try:
            yield cls(process)
        finally:
            await gone(process)

    async def find(self, *names: str) -> list[Found | None]:
        """The object of each name, None where there is none. Raises Unfit when git cannot read the repository."""
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            raise Unfit("git was started without pipes")
        asked = [name for name in names if "\n" not in name]

        async def answers_to() -> list[str]:
            async with self.lock:
                stdin.write(b"".join(os.fsencode(f"{name}\n") for name in asked))
                return [os.fsdecode(await stdout.readline()).rstrip("\n") for _ in asked]

        lines = await shielded(answers_to())  # an answer that was left unread would be the next question's
        if not all(lines):
            raise Unfit("git cannot read the repository's objects; run `git fsck` there")
        answers = dict(zip(asked, map(_found, lines), strict=True))
        return [answers.get(name) for name in names]


def _found(line: str) -> Found | None:
    sha, _, kind = line.rpartition(" ")
    return Found(sha, kind) if kind in {"blob", "tree", "commit", "tag"} else None
