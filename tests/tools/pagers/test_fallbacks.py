"""The fallbacks, each against a real one: an SMTP server, an HTTP service, a process."""

import asyncio
import socketserver
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.people import site
from tests.serving import serving
from tools.contract import ToolFailed, Unreachable
from tools.pagers import apprise, command, email
from tools.pagers.base import Alarm, Pager

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
"""Apprise imports it for Pythons that lack it."""
ALARM = Alarm("inc-7:asked", "shop is\r\ndown", {"incident": "inc-7"})


class Sink(socketserver.StreamRequestHandler):
    """Just enough SMTP: takes every mail, refuses every password."""

    def handle(self) -> None:
        """One session."""
        self.wfile.write(b"220 sink\r\n")
        for line in self.rfile:
            verb = line.split()[0].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                inbox.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            answers = {b"EHLO": b"250-sink\r\n250 AUTH PLAIN", b"AUTH": b"535 VENDOR", b"QUIT": b"221 bye"}
            self.wfile.write(answers.get(verb, b"250 fine") + b"\r\n")
            if verb == b"QUIT":
                return


inbox: list[str] = []


@contextmanager
def smtp() -> Generator[int]:
    """The port of a mail server."""
    inbox.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def mailer(home: Path, port: int, user: str = "") -> Pager:
    settings = email.Settings(
        kind="email",
        host="127.0.0.1",
        port=port,
        sender="stanch@shop.example",
        to=("oncall@shop.example",),
        starttls=False,
        user=user,
        password_env="SMTP_PASSWORD",  # noqa: S106 - the name of a variable
    )
    return email.connect(settings, site(home, SMTP_PASSWORD="hunter2"))  # noqa: S106 - opens nothing


def test_a_mail_arrives_with_one_id_per_alarm_and_no_forged_header(tmp_path: Path) -> None:
    with smtp() as port:
        sent = [asyncio.run(mailer(tmp_path, port).page(ALARM)) for _ in range(2)]
        assert asyncio.run(mailer(tmp_path, port).check()) == "127.0.0.1 lets us in"
    assert sent[0] == sent[1]
    assert len(inbox) == 2
    assert "Subject: shop is down\r\n" in inbox[0]
    assert f"Message-ID: {sent[0]}" in inbox[0]
    assert "incident: inc-7" in inbox[0]


def test_a_refused_password_is_named_and_never_shown(tmp_path: Path) -> None:
    with smtp() as port, pytest.raises(Unreachable, match="set SMTP_PASSWORD") as refused:
        asyncio.run(mailer(tmp_path, port, "stanch").page(ALARM))
    assert not {"hunter2", "VENDOR"} & set(str(refused.value).split())
    assert inbox == []


def test_a_mail_server_that_is_away_says_so(tmp_path: Path) -> None:
    with smtp() as port:
        pass
    with pytest.raises(Unreachable, match=r"did not take it \(ConnectionRefusedError\)"):
        asyncio.run(mailer(tmp_path, port).check())


def services(home: Path, urls: str) -> Pager:
    return apprise.connect(apprise.Settings(kind="apprise"), site(home, APPRISE_URLS=urls))


def test_one_service_of_several_is_enough(tmp_path: Path) -> None:
    took: list[bytes] = []

    async def take(request: Request) -> Response:
        took.append(await request.body())
        return PlainTextResponse("fine")

    app = Starlette(routes=[Route("/up", take, methods=["POST"])])
    with serving(app) as base:
        place = base.removeprefix("http://")
        both = services(tmp_path, f"json://{place}/s3cret-down json://{place}/up misspelt")
        assert asyncio.run(both.page(ALARM)) == "1 of 2 services took it"
        with pytest.raises(Unreachable, match="none of 1 services took it; check APPRISE_URLS") as failed:
            asyncio.run(services(tmp_path, f"json://{place}/s3cret-down").page(ALARM))
    assert "s3cret" not in str(failed.value)
    assert b"incident: inc-7" in took[0]


@pytest.mark.parametrize(("urls", "hint"), [("", "no URL is there"), ("json://127.0.0.1 s3cret", "URL 2 of 2")])
def test_a_url_that_is_none_is_counted_not_shown(tmp_path: Path, urls: str, hint: str) -> None:
    with pytest.raises(ToolFailed, match=hint) as failed:
        asyncio.run(services(tmp_path, urls).check())
    assert "s3cret" not in str(failed.value)


def test_urls_are_checked_without_sending_anything(tmp_path: Path) -> None:
    assert asyncio.run(services(tmp_path, "json://127.0.0.1").check()) == "1 URLs are well written"


def runner(home: Path, *argv: str) -> Pager:
    return command.connect(command.Settings(kind="command", argv=argv), site(home))


def test_a_command_reads_the_alarm_and_never_meets_a_shell(tmp_path: Path) -> None:
    keep = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read() + sys.argv[2])"
    pager = runner(tmp_path, sys.executable, "-c", keep, str(tmp_path / "got"), "$(id); `id`")
    assert asyncio.run(pager.page(ALARM)) == f"{sys.executable} ended with 0"
    assert (tmp_path / "got").read_text() == f"{ALARM.body()}\n$(id); `id`".replace("\r\n", "\n")
    assert asyncio.run(pager.check()) == f"{sys.executable} is there"


def test_a_command_that_fails_or_is_missing_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="ended with 3"):
        asyncio.run(runner(tmp_path, sys.executable, "-c", "raise SystemExit(3)").page(ALARM))
    gone = runner(tmp_path, str(tmp_path / "gone"))
    for call in (gone.page(ALARM), gone.check()):
        with pytest.raises(ToolFailed, match="check `argv`"):
            asyncio.run(call)


def test_a_command_that_hangs_does_not_outlive_the_page(tmp_path: Path) -> None:
    began, survived = tmp_path / "began", tmp_path / "survived"
    hang = "import sys, time; open(sys.argv[1], 'w').close(); time.sleep(1); open(sys.argv[2], 'w').close()"
    pager = runner(tmp_path, sys.executable, "-c", hang, str(began), str(survived))

    async def cut() -> None:
        page = asyncio.create_task(pager.page(ALARM))
        while not began.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.02)
        page.cancel()
        with pytest.raises(asyncio.CancelledError):
            await page
        await asyncio.sleep(1.2)

    asyncio.run(cut())
    assert not survived.exists()
