"""The commit that a name means, or what is wrong with the name."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.bisection.errors import Unfit
from tools.bisection.plumbing import environment, git

_CANDIDATE: Final = re.compile(r"^hint:\s+([0-9a-f]+) commit ", re.MULTILINE)


async def commit(repo: Path, name: str, env: Mapping[str, str]) -> str:
    """The full sha of a commit. Raises Unfit when there is none of that name, or more than one."""
    asked = ("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    said = await git(*asked, cwd=repo, env=environment(env))
    if said.status:
        raise Unfit(await _wrong(repo, name, env, said.error))
    return said.out.strip()


async def _wrong(repo: Path, name: str, env: Mapping[str, str], error: str) -> str:
    """What is wrong with a name, as far as git knows."""
    if " is ambiguous" in error:
        those = ", ".join(_CANDIDATE.findall(error))
        return f"`{name}` is ambiguous: more than one commit begins so{those and f', {those}'}; give more of its digits"
    shallow = await git("rev-parse", "--is-shallow-repository", cwd=repo, env=environment(env))
    if shallow.out.strip() == "true":
        return (
            f"the repository has no commit `{name}`: it is a shallow clone, which lacks what is older; "
            "`git fetch --unshallow --tags`"
        )
    return f"the repository has no commit `{name}`; a tag that is new may have to be fetched first"
