"""What a human knows a commit by: its subject, its author and its day."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.bisection.plumbing import environment, git


async def captions(repo: Path, shas: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    """`Subject (author, day)` of each commit, by its sha; of none when git cannot say."""
    if not shas:
        return {}
    form = "--format=%H %s (%an, %as)"
    said = await git(
        "log", "--no-walk=unsorted", form, "--stdin", cwd=repo, env=environment(env), stdin="\n".join(shas)
    )
    lines = (line.partition(" ") for line in said.out.splitlines())
    return {sha: caption for sha, _, caption in lines}
