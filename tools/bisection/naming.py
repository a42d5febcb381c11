"""The commit that a name means, or what is wrong with the name."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.bisection.errors import Unfit
from tools.bisection.plumbing import environment, git
from tools.bisection.reading import resolved

_CANDIDATE: Final = re.compile(r"^hint:\s+([0-9a-f]+) commit ", re.MULTILINE)


async def commit(repo: Path, name: str, env: Mapping[str, str]) -> str:
    """The full sha of a commit. Raises Unfit when there is none of that name, or more than one."""
    try:
        return await resolved(repo, name, dict(env))
    except Unfit as unfit:
        raise Unfit(await _wrong(repo, name, env) or unfit.why) from unfit


async def _wrong(repo: Path, name: str, env: Mapping[str, str]) -> str:
    """What is wrong with a name, as far as git knows; empty when it does not."""
    ours = environment(env)
    asked = ("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    said = await git(*asked, cwd=repo, env=ours)
    if " is ambiguous" in said.error:
        those = ", ".join(_CANDIDATE.findall(said.error))
        return f"`{name}` is ambiguous: more than one commit begins so{those and f', {those}'}; give more of its digits"
    if (await git("rev-parse", "--is-shallow-repository", cwd=repo, env=ours)).out.strip() == "true":
        return (
            f"the repository has no commit `{name}`: it is a shallow clone, which lacks what is older; "
            "`git fetch --unshallow --tags`"
        )
    return ""
