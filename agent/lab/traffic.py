"""People who use the shop: always the same ones, asking for the same things in the same order."""

import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import NamedTuple

import httpx

PER_S = 32
"""Requests per second of the wall's clock; at a speed of 120, 16 a minute of the world."""
CROWD = tuple(f"p{n:03}" for n in range(1, 49))
LONER = "p049"
"""The only customer of a company that pays in a rare currency."""
FEATURES = {"catalog": 18, "product": 20, "search": 20, "cart": 13, "checkout": 13, "orders": 8, "profile": 8}
"""How often each is used, in percent."""
WORDS = ("desk", "oak", "lamp", "chair", "shelf", "wall shelf", "rug", "ficus", "standing desk", "floor lamp")
SKUS = ("lamp-1", "lamp-2", "chair-1", "chair-2", "desk-1", "shelf-1", "plant-1", "clock-1", "mat-1")
LOOK_S = 0.05
EVERY_BROKEN_LINK, EVERY_LONER = 13, 10
"""Each so many requests: more than once a minute of the world, so that one minute without is news."""


class Ask(NamedTuple):
    """One request."""

    method: str
    path: str
    person: str = ""
    body: object = None


def asks(seed: int = 7) -> Iterator[Ask]:
    """What is asked, for ever."""
    dice = random.Random(seed)  # noqa: S311 - traffic, no secret
    features, weights = list(FEATURES), list(FEATURES.values())
    for n in count(1):
        if n % EVERY_BROKEN_LINK == 0:
            yield Ask("GET", "/share?campaign=winter")
        elif n % EVERY_LONER == 0:
            yield _ask(dice, "checkout", LONER)
        else:
            yield _ask(dice, dice.choices(features, weights)[0], dice.choice(CROWD))


def _ask(dice: random.Random, feature: str, person: str) -> Ask:
    match feature:
        case "product":
            return Ask("GET", f"/product?sku={dice.choice(SKUS)}", person)
        case "search":
            return Ask("GET", f"/search?q={dice.choice(WORDS)}", person)
        case "cart" | "checkout":
            items = [{"sku": dice.choice(SKUS), "quantity": dice.randint(1, 3)}]
            return Ask("POST", f"/{feature}", person, {"items": items})
        case _:
            return Ask("GET", f"/{feature}", person)


async def run(shop: str, world: str) -> None:
    """Once all are up, ask until killed, at a steady pace; who finds the shop closed comes back another time."""
    await _open(f"{world}/linear/_lab/kept")
    await _open(f"{shop}/health")
    async with httpx.AsyncClient(base_url=shop, timeout=5) as client, asyncio.TaskGroup() as visits:
        start = asyncio.get_running_loop().time()
        for n, ask in enumerate(asks()):
            await asyncio.sleep(start + n / PER_S - asyncio.get_running_loop().time())
            visits.create_task(visit(client, ask))


async def _open(url: str) -> None:
    async with httpx.AsyncClient() as client:
        while True:
            with suppress(httpx.TransportError):
                await client.get(url)
                return
            await asyncio.sleep(LOOK_S)


async def visit(client: httpx.AsyncClient, ask: Ask) -> None:
    """One request; being turned away at a closed door is only noted."""
    try:
        await client.request(ask.method, ask.path, json=ask.body, headers={"X-Shop-Person": ask.person})
    except httpx.TransportError as error:
        print(f"{ask.method} {ask.path}: {type(error).__name__}")  # noqa: T201 - the log of this process


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
