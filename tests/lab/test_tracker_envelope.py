"""Envelopes in every form that an SDK may send; broken ones are refused, never half taken."""

import gzip
import json
import zlib

import pytest

from agent.lab.tracker.envelope import EnvelopeError, items, unpacked

EVENT = {"event_id": "e1", "timestamp": "2026-11-23T12:00:00Z", "tags": {"org": 7}, "message": "plain"}
BODY = json.dumps(EVENT).encode()
SESSION = b'{"type":"sessions"}\n{"aggregates":[]}\n'


def envelope(*parts: bytes) -> bytes:
    return b'{"event_id":"e1"}\n' + b"".join(parts)


def item(kind: str, *, length: bool = True) -> bytes:
    header = {"type": kind, "length": len(BODY)} if length else {"type": kind}
    return json.dumps(header).encode() + b"\n" + BODY + b"\n"


@pytest.mark.parametrize("length", [True, False])
def test_events_and_transactions_are_taken_and_the_rest_passed_over(*, length: bool) -> None:
    parts = (item("event", length=length), SESSION, item("transaction", length=length))
    assert [found.kind for found in items(envelope(*parts))] == ["event", "transaction"]


def test_tags_are_texts() -> None:
    assert [found.tags for found in items(envelope(item("event")))] == [{"org": "7"}]


@pytest.mark.parametrize("body", [b"", b"{}", envelope(b"no header\n"), envelope(b'{"type":"event"}\n{"half')])
def test_a_broken_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        list(items(body))


def test_encodings_are_undone_and_unknown_ones_refused() -> None:
    assert (
        unpacked(gzip.compress(b"x"), "gzip") == unpacked(zlib.compress(b"x"), "deflate") == unpacked(b"x", "") == b"x"
    )
    for body, encoding in ((b"x", "br"), (b"x", "gzip"), (b"x", "deflate")):
        with pytest.raises(EnvelopeError):
            unpacked(body, encoding)
