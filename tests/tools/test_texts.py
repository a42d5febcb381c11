"""Whatever a text says, it calls nobody, links nowhere and hides nothing where people read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tools.texts import inert, line, markdown, prose

CALLS = [
    "@channel",
    "@here",
    "@everyone",
    "@acme/on-call",
    "<!channel>",
    "<!subteam^S024>",
    "<@U024>",
    "<@&1234>",
    "<#C1>",
]
LINKS = [
    "[pay](https://evil.example/pay)", "![](https://evil.example/p.png)", "<https://evil.example>", "www.evil.example",
    "https://evil.example", "[a]: https://evil.example\n\n[a]", "[a\\](javascript:alert(1))", "[a](javascript:a)",
    '<img src="//evil.example/p.png">', "[a](//evil.example)", "[![](//evil.example/p)](//evil.example)",
    "[a][b]\n\n[b]: //evil.example", "<a href=//evil.example>a</a>", "HTTPS://EVIL.example",
]  # fmt: skip
TRACKER = "https://acme.sentry.io/issues/42/"
READER = MarkdownIt("commonmark", {"html": True, "linkify": False})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("where", ["{}", "ask {} now", "({})", "x \u200b{}", "*{}*"])
def test_nobody_is_called(call: str, where: str) -> None:
    for made in (inert, line, prose, markdown):
        text = made(where.format(call))
        assert "<!" not in text
        assert "<@" not in text
        assert "<#" not in text
        assert not any(name in text for name in ("@channel", "@here", "@everyone", "@acme", "@U024"))


@pytest.mark.parametrize("text", LINKS)
@pytest.mark.parametrize("made", [markdown, line, prose])
def test_no_link_and_no_picture_leads_anywhere(text: str, made: object) -> None:
    assert callable(made)
    for around in ("{}", "see {}", "- {}", "> {}", "# {}"):
        written = str(made(around.format(text)))
        page = READER.render(written)
        assert "href" not in page.replace("&lt;a href", "")
        assert "<img" not in page
        assert "://" not in written
        assert "www." not in written


@given(st.text(alphabet=st.sampled_from("[]()!<>:/\\ `*a\nhtps.@&#"), max_size=60))
def test_no_markdown_of_any_form_makes_a_link(text: str) -> None:
    page = READER.render(markdown(text))
    assert "<a " not in page
    assert "<img" not in page


def test_the_trackers_own_link_stays_and_so_does_the_form() -> None:
    body = f"**Checkout fails**\n\n- Tracker: {TRACKER}\n- [elsewhere](https://evil.example)\n\n```\nif a < b:\n```"
    told = markdown(body, TRACKER)
    assert f"- Tracker: {TRACKER}\n" in told
    assert told.startswith("**Checkout fails**\n\n- ")
    assert "if a < b:" in told
    assert "https[:]//evil.example" in told


def test_a_mass_mention_is_one_in_the_middle_of_a_word_too() -> None:
    assert "@everyone" not in inert("x\u200b@everyone")


def test_releases_and_addresses_are_no_calls() -> None:
    assert inert("shop@1.8.0 by react-dom@18.2.0") == "shop@1.8.0 by react-dom@18.2.0"


def test_nothing_is_hidden() -> None:
    assert inert("a\u202eb\u200bc\x1b[31md\x00e\ufeff\n\tf") == "abc[31mde\n\tf"
