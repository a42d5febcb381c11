"""The shapes of histories: who is whose parent, and what follows of it."""

import random

Parents = tuple[tuple[int, ...], ...]
"""The parents of each commit, by number, the first one first; a parent's number is lower than its child's."""


def linear(size: int) -> Parents:
    """`size` commits, one after the other, on a first one."""
    return ((), *((c,) for c in range(size)))


def branchy(dice: random.Random, size: int, *, octopus: bool = False) -> Parents:
    """About `size` commits with branches that follow the trunk and are merged; the last commit holds them all."""
    made: list[tuple[int, ...]] = [()]
    trunk, tips = 0, list[int]()
    while len(made) < size:
        throw = dice.random()
        if throw < 0.3 and len(tips) > (dice.randint(1, 4) if octopus else 0):
            trunk = _merged(made, trunk, tips, dice.randint(2, 6) if octopus else 1)
        elif throw < 0.5 or not tips:
            tips.append(_on(made, trunk))
        elif throw < 0.6:
            trunk = _on(made, trunk)
        else:
            k = dice.randrange(len(tips))
            tips[k] = _on(made, tips[k], *((trunk,) if throw < 0.65 else ()))
    while tips:
        trunk = _merged(made, trunk, tips, 6 if octopus else 1)
    if len(made[trunk]) == 1 or dice.random() < 0.5:
        _on(made, trunk)
    return tuple(made)


def forked(dice: random.Random, size: int) -> tuple[Parents, int, int]:
    """A trunk and a branch that is not merged: the parents, the commit where they part, the tip of the branch."""
    fork, aside = dice.randint(0, size // 3), dice.randint(1, max(1, size // 4))
    tip = fork + aside
    branch = [(), *((c,) for c in range(tip))]
    trunk = [(fork,), *((c,) for c in range(tip + 1, tip + max(2, size - tip)))]
    return (*branch, *trunk), fork, tip


def ancestors(parents: Parents) -> list[int]:
    """Of each commit the set, as bits, of its ancestors, itself with them."""
    above: list[int] = []
    for c, those in enumerate(parents):
        bits = 1 << c
        for p in those:
            bits |= above[p]
        above.append(bits)
    return above


def descendants(parents: Parents) -> list[int]:
    """Of each commit the set, as bits, of its descendants, itself with them."""
    below = [1 << c for c in range(len(parents))]
    for c in reversed(range(len(parents))):
        for p in parents[c]:
            below[p] |= below[c]
    return below


def cone(parents: Parents, good: int, bad: int) -> list[int]:
    """Commits that are in `bad` and not in `good`."""
    left, right = _reached(parents, good), _reached(parents, bad)
    return sorted(right - left)


def _reached(parents: Parents, tip: int) -> set[int]:
    found, todo = {tip}, [tip]
    while todo:
        new = set(parents[todo.pop()]) - found
        found |= new
        todo += new
    return found


def _on(made: list[tuple[int, ...]], *parents: int) -> int:
    made.append(tuple(dict.fromkeys(parents)))
    return len(made) - 1


def _merged(made: list[tuple[int, ...]], trunk: int, tips: list[int], most: int) -> int:
    taken = tips[:most]
    del tips[:most]
    return _on(made, trunk, *taken)
