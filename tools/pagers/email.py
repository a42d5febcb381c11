"""Pages by e-mail, through one SMTP server. One alarm has one Message-ID, so that mailboxes can drop a repeat."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from hashlib import sha256
from typing import Final, Literal

from pydantic import Field, SecretStr

from tools.contract import Options, Unreachable
from tools.pagers.base import Alarm, Pager
from tools.site import Site

NAME: Final = "email"
TIMEOUT_S: Final = 10.0


class Settings(Options):
    """A pager of kind email."""

    kind: Literal["email"]
    host: str
    port: int = 587
    sender: str
    to: tuple[str, ...] = Field(min_length=1)
    starttls: bool = True
    user: str = ""
    """Empty: no login."""
    password_env: str = ""
    """Names the variable with the user's password."""


def connect(settings: Settings, site: Site) -> Pager:
    """A mail server."""
    return Email(settings, site.secrets.get(settings.password_env, SecretStr("")))


@dataclass(frozen=True, slots=True)
class Email:
    """One mail server and the people to write to."""

    settings: Settings
    password: SecretStr
    name: str = NAME

    async def page(self, alarm: Alarm) -> str:
        """See Pager."""
        mail = EmailMessage()
        mail["Subject"] = " ".join(alarm.summary.split())
        mail["From"], mail["To"] = self.settings.sender, ", ".join(self.settings.to)
        mail["Message-ID"] = f"<{sha256(alarm.key.encode()).hexdigest()[:32]}@stanch>"
        mail["X-Priority"] = "1"
        mail.set_content(alarm.body())
        await asyncio.to_thread(self._deliver, mail)
        return str(mail["Message-ID"])

    async def check(self) -> str:
        """See Pager."""
        await asyncio.to_thread(self._deliver, None)
        return f"{self.settings.host} lets us in"

    def _deliver(self, mail: EmailMessage | None) -> None:
        """Log in and send `mail`, if there is one."""
        host = self.settings.host
        try:
            with smtplib.SMTP(host, self.settings.port, timeout=TIMEOUT_S) as server:
                if self.settings.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.settings.user:
                    server.login(self.settings.user, self.password.get_secret_value())
                if mail:
                    server.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            hint = f"{host} refused {self.settings.user}: set {self.settings.password_env}"
            raise Unreachable(NAME, hint) from error
        except (smtplib.SMTPException, OSError) as error:
            hint = f"{host} did not take it ({type(error).__name__}); check `host`, `port`, `starttls` and `to`"
            raise Unreachable(NAME, hint, retry=True) from error
