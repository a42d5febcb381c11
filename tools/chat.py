"""Chat: one message per incident in every configured channel, kept up to date."""

from hashlib import sha256

from pydantic import Field

from tools.chats.base import Chats, Posted
from tools.contract import Args, Effect, tool
from tools.observed import Declares
from tools.site import Case
from tools.texts import inert


class Post(Args):
    """What to tell everybody now."""

    text: str = Field(min_length=1, max_length=3000, description="Plain text: what is broken, for whom, what is done.")


class Update(Declares):
    """What to tell everybody instead."""

    text: str = Field(min_length=1, max_length=3000, description="The whole message anew, in plain text.")
    resolved: bool = Field(default=False, description="The text says that the incident is over.")

    @property
    def declares_resolved(self) -> bool:
        """It tells people that it is over."""
        return self.resolved


async def _posted(_args: Post, chats: Chats, case: Case) -> Posted | None:
    return await chats.find(case.id)


def _incident(_args: Post) -> str:
    return "incident"


@tool(Effect.NOTE, timeout_s=120, key=_incident, probe=_posted)
async def chat_post(args: Post, chats: Chats, case: Case) -> Posted:
    """Post this incident's message and pin it. Posting again gives the same message; change it with chat_update.

    Use as soon as impact is known. Example: chat_post(text="Checkout fails for EU users since 14:02; rolling back")
    """
    return await chats.post(case.id, inert(args.text))


def _news(args: Update) -> str:
    return sha256(f"{args.resolved} {args.text}".encode()).hexdigest()[:16]


@tool(Effect.NOTE, timeout_s=120, key=_news)
async def chat_update(args: Update, chats: Chats, case: Case) -> Posted:
    """Replace the text of this incident's message; resolved=true when it says that the incident is over.

    Use after each action and at the end. Example: chat_update(text="Rolled back to v1.7.3 at 14:09; watching")
    """
    return await chats.update(case.id, inert(args.text))
