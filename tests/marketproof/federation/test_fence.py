"""The fence, before an application that would answer everything: what gets through, and how much of it."""

import asyncio

import pytest

pytest.importorskip("cryptography")

import marketproof.federation.fence
from marketproof.federation.fence import PIECE, Fence


def fence_of(behind):
    fence = Fence(behind)
    fence.known = {"alice": b"k", "bob": b"other"}
    return fence


class Behind:
    """Answers everything, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, receive, send):
        event = await receive()
        self.asked.append((scope["path"], event["body"], event["more_body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def ask(fence, path, *pieces, key=b"k"):
    """Send one request, its body in pieces (the last repeated without end if it is ...); return its status."""
    read, told = 0, []

    async def receive():
        nonlocal read
        endless = pieces and pieces[-1] is ...
        read += 1
        if endless:
            return {"type": "http.request", "body": pieces[0], "more_body": True}
        at = read - 1
        return {"type": "http.request", "body": pieces[at] if pieces else b"", "more_body": at + 1 < len(pieces)}

    async def send(event):
        told.append(event)

    headers = [(b"flwr-public-key", key)]
    scope = {"type": "http", "path": path, "headers": headers, "client": ("10.0.0.1", 1), "state": {}}
    asyncio.run(fence(scope, receive, send))
    return told[0]["status"]


@pytest.mark.parametrize(
    "path",
    ["/v1/control/register-node", "/v1/control/start-run", "/v1/runtime/acquire-task", "/docs", "/v1/fleet", "/"],
)
def test_only_the_fleet_interface_is_behind_the_public_port(path):
    behind = Behind()
    assert ask(fence_of(behind), path, b"x") == 404
    assert behind.asked == []


def test_a_request_is_handed_on_whole():
    behind = Behind()
    assert ask(fence_of(behind), "/v1/fleet/pull-messages", b"a", b"b", b"c") == 200
    assert behind.asked == [("/v1/fleet/pull-messages", b"abc", False)]


def test_an_endless_body_is_cut_off_whatever_it_says_of_its_length():
    behind = Behind()
    fence = fence_of(behind)
    fence.allow(100 * PIECE)
    assert ask(fence, "/v1/fleet/push-object", b"0" * 2**16, ...) == 413
    assert behind.asked == []


def test_what_one_key_sends_in_one_exchange_is_bounded_in_total_and_others_are_not_held_up():
    fence = fence_of(Behind())
    fence.allow(0)
    statuses = [ask(fence, "/v1/fleet/push-object", b"0" * 2**18) for _ in range(6)]
    assert statuses == [200] * 4 + [413] * 2
    assert ask(fence, "/v1/fleet/push-object", b"0" * 2**18, key=b"other") == 200
    fence.allow(0)
    assert ask(fence, "/v1/fleet/push-object", b"0" * 2**18) == 200


def test_of_a_stranger_no_body_is_read_and_nothing_kept():
    behind = Behind()
    fence = fence_of(behind)
    for k in range(100):
        assert ask(fence, "/v1/fleet/push-object", b"0" * 2**16, ..., key=b"%d" % k) == 404
    assert (behind.asked, len(fence._sent)) == ([], 0)


def test_a_body_that_does_not_end_is_given_up(monkeypatch):
    monkeypatch.setattr(marketproof.federation.fence, "_SLOWEST", 0.05)
    fence, told = fence_of(Behind()), []

    async def receive():
        await asyncio.Event().wait()

    async def send(event):
        told.append(event)

    headers = [(b"flwr-public-key", b"k")]
    scope = {"type": "http", "path": "/v1/fleet/push-object", "headers": headers, "client": ("10.0.0.1", 1)}
    asyncio.run(fence(scope, receive, send))
    assert told[0]["status"] == 408
