"""Requests and replies over Flower, lean: one long-lived process a client, no process per message.

All of Flower's names stand here and in `marketproof.federation.fence`; most are private ones of version 1.42.0, so that
exactly this one is needed. A request travels as one array of bytes in a Flower message, and so does its reply.
"""

from __future__ import annotations

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np

from learning.federation.transport import Absence, Request
from marketproof.federation.fence import FencedLink, ready
from marketproof.federation.https_client import REFUSED, Refused
from marketproof.federation.keys import Identity, Register, read_certificate
from mechanism.errors import InputError, one_line
from mechanism.wording import number

_POLL = 0.02
_APP = """[project]
name = "marketproof"
version = "1.0.0"
license = "Apache-2.0"
dependencies = []
[tool.flwr.app]
publisher = "marketproof"
[tool.flwr.app.components]
serverapp = "app:app"
clientapp = "app:app"
"""
"""Flower starts a run only of an app. This one is empty: our processes take the place of what it would start."""


def _we_are(task: int, run: int, node: int) -> None:
    """Say whose messages this process makes: they carry it."""
    from flwr.supercore.task_identity import TaskIdentity

    TaskIdentity.task_id, TaskIdentity.run_id, TaskIdentity.node_id = task, run, node


def _sent(payload: bytes) -> Any:
    from flwr.app import Array, ArrayRecord, RecordDict

    return RecordDict({"message": ArrayRecord({"bytes": Array(np.frombuffer(payload, dtype=np.uint8))})})


def _read(content: Any) -> bytes:
    """Return the payload of a message; `ValueError` if it is none of ours."""
    try:
        array = content["message"]["bytes"].numpy()
    except Exception:  # what a stranger sends fails in many ways
        raise ValueError("it is no message of marketproof") from None
    if array.dtype != np.uint8 or array.ndim != 1:
        raise ValueError("it is no message of marketproof")
    return bytes(array.tobytes())


class FlowerTransport:
    """A `learning.federation.transport.Transport` over Flower behind a fence; the rest as `HttpsTransport`."""

    within = False

    def __init__(
        self, host: str, port: int, identity: Identity, register: Register, deadline: float, names: Sequence[str] = ()
    ) -> None:
        ready()
        from flwr.supercore.control.control_http_client import ControlHttpClient
        from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor

        self.names, self.run, self._nodes = tuple(names), "", dict[str, int]()
        self._register, self._deadline, self._state = register, deadline, None
        self._link = FencedLink()
        self._address = f"127.0.0.1:{self._link.private}"
        checked = [RuntimeVersionHttpInterceptor(component_name="marketproof")]
        self._control = ControlHttpClient.from_server_address(self._address, True, None, checked)
        try:
            self._look()
            self._open()
            self.port = self._link.listen(host, port, identity)
        except BaseException:
            self._link.close()
            raise

    def _look(self) -> None:
        """Register with Flower who was registered here since the last look, and take out who was revoked."""
        from flwr.proto.control_pb2 import RegisterNodeRequest, UnregisterNodeRequest
        from flwr.supercore.primitives.asymmetric import public_key_to_bytes

        state: Any = self._register.state()
        if state == self._state:
            return
        files, ours = self._register.certificates(), self.names or self._register.certificates()
        known = [name for name in self._register.names().values() if name in ours]
        keys = {name: public_key_to_bytes(read_certificate(files[name]).public_key()) for name in known}
        through, self._state = self._link.fence.known, state
        for name in [name for name in through if through[name] != b64encode(keys.get(name, b""))]:
            del through[name]  # or it has another key by now
            self._control.UnregisterNode(UnregisterNodeRequest(node_id=self._nodes.pop(name)))
        for name in set(keys) - set(through):
            told = RegisterNodeRequest(public_key=keys[name], name=name)
            self._nodes[name], through[name] = self._control.RegisterNode(told).node_id, b64encode(keys[name])

    def _open(self) -> None:
        """Start a run of an empty app, and take its server's task ourselves."""
        from flwr.cli.build import build_fab_from_files
        from flwr.common.serde import fab_to_proto, run_from_proto
        from flwr.proto.control_pb2 import StartRunRequest
        from flwr.proto.runtime_pb2 import AcquireTaskRequest, PullTaskInputRequest
        from flwr.supercore.constant import TaskType
        from flwr.supercore.fab import Fab
        from flwr.supercore.heartbeat import HeartbeatSender, make_task_heartbeat_fn_http
        from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
        from flwr.supercore.runtime import RuntimeHttpClient
        from flwr.superlink.grid.http_grid import HttpGrid

        fab, _ = build_fab_from_files({"pyproject.toml": _APP.encode(), "app.py": b"app = None\n"})
        app = fab_to_proto(Fab(hashlib.sha256(fab).hexdigest(), fab, {}))
        self._control.StartRun(StartRunRequest(fab=app, federation=""))
        checked = [RuntimeVersionHttpInterceptor(component_name="SuperExec")]
        runtime = RuntimeHttpClient.from_server_address(self._address, True, None, checked)
        while not (got := runtime.AcquireTask(AcquireTaskRequest(supported_task_types=[TaskType.SERVER_APP]))).token:
            time.sleep(_POLL)
        runtime.close()
        self._grid = HttpGrid(self._address, insecure=True, token=got.token)
        self._beats = HeartbeatSender(make_task_heartbeat_fn_http(self._grid._runtime_client))
        self._beats.start()
        given = self._grid._runtime_client.PullTaskInput(PullTaskInputRequest())
        self._grid.set_run(run_from_proto(given.run))
        _we_are(given.task_id, given.run.run_id, given.context.node_id)

    def online(self) -> list[str]:
        """Return the names of the clients that Flower holds to be online."""
        self._look()
        there = {node.node_id for node in self._grid.get_nodes()}
        return sorted(name for name, node in self._nodes.items() if node in there)

    def exchange(self, requests: Sequence[Request]) -> list[bytes | Absence]:
        """Send requests, return replies or absences: see the protocol."""
        self._look()
        end = time.monotonic() + self._deadline
        found: dict[int, bytes | Absence] = {}
        left = list(range(len(requests)))
        while left:  # a second request to one client goes out when its first is answered
            firsts = list({requests[at].client: at for at in reversed(left)}.values())
            found.update(self._together({at: requests[at] for at in firsts}, end))
            left = [at for at in left if at not in firsts]
        return [found[at] for at in range(len(requests))]

    def _together(self, requests: dict[int, Request], end: float) -> dict[int, bytes | Absence]:
        from flwr.app import Message, MessageType
        from flwr.supercore.inflatable.inflatable_utils import pull_objects

        found: dict[int, bytes | Absence] = {}
        self._link.fence.allow(max(request.most for request in requests.values()))
        there, waiting = set(self.online()), dict[str, int]()
        for at, request in requests.items():
            name = self.names[request.client]
            if name not in there:
                found[at] = Absence("it is not online" if name in self._nodes else self._register.why_out(name))
                continue
            ttl, secret = max(1.0, end - time.monotonic()) + 1.0, token_hex(16)  # a reply names the digest of all this
            message = Message(_sent(request.payload), self._nodes[name], MessageType.QUERY, ttl=ttl, group_id=secret)
            (pushed,) = self._grid.push_messages([message])  # one by one: that they come back in order is not said
            waiting[pushed] = at
        over = False
        while waiting and not over:
            over = time.monotonic() >= end  # what lies there by then counts, whoever was waited for
            for pushed, at in list(waiting.items()):  # alone: a reply that cannot be read is nobody else's
                pull_objects.__kwdefaults__["max_time"] = max(1.0, end - time.monotonic())
                try:
                    for reply in self._grid.pull_messages([pushed]):
                        found[waiting.pop(pushed)] = self._judged(reply, requests[at])
                except Exception as failed:  # what a stranger sends fails in many ways
                    found[waiting.pop(pushed)] = Absence(f"its answer cannot be read: {type(failed).__name__}")
            time.sleep(_POLL if waiting else 0.0)
        return found | {
            at: Absence(f"no answer within {number(self._deadline)} s", late=True) for at in waiting.values()
        }

    def _judged(self, reply: Any, request: Request) -> bytes | Absence:
        if reply.has_error():
            return Absence(one_line(reply.error.reason or "Flower gave up on it")[:200])
        if reply.metadata.src_node_id != self._nodes.get(self.names[request.client]):
            return Absence("another client answered for it")
        try:
            payload = _read(reply.content)
        except ValueError as failed:
            return Absence(str(failed))
        return payload if len(payload) <= request.most else Absence(f"its answer was longer than {request.most} bytes")

    def close(self) -> None:
        """Tell clients that it is over, and stop listening."""
        from flwr.app import Message, MessageType
        from flwr.proto.runtime_pb2 import PushTaskOutputRequest

        if self._link is None:
            return
        with suppress(Exception):  # whoever is gone need not be told
            over = [Message(_sent(b""), self._nodes[name], MessageType.QUERY, ttl=10.0) for name in self.online()]
            told = {pushed for message in over for pushed in self._grid.push_messages([message])}
            end = time.monotonic() + 3.0
            while told and time.monotonic() < end:
                told -= {reply.metadata.reply_to_message_id for reply in self._grid.pull_messages(told)}
                time.sleep(_POLL)
            self._grid._runtime_client.PushTaskOutput(PushTaskOutputRequest(sub_status="completed", details=""))
        self._beats.stop()
        self._grid.close()
        self._control.close()
        self._link.close()
        self._link = None  # type: ignore[assignment]


def attend(
    host: str,
    port: int,
    server: Path,
    identity: Identity,
    answer: Callable[[bytes, int], bytes],
    patience: float,
    tell: Callable[[str], None] = lambda line: None,
    most: Callable[[], int] = lambda: 2**33,
) -> None:
    """Answer requests over Flower until the server says that it is over: as `https_client.attend`.

    Flower holds a process that was killed to be online for a minute: its key is refused so long.
    """
    ready()
    from flwr.supernode import fleet_http_connection as fleet

    def ended(code: int, message: str = "") -> None:
        raise _Ended(message)

    fleet.flwr_exit = ended
    private = identity.private()
    keys = (private, private.public_key())
    lost, told = time.monotonic(), ""
    while True:
        reason = "the connection broke"  # Flower does not say how
        try:
            with fleet.http_request_response(
                f"{host}:{port}", False, str(server), keys, max_retries=1, max_wait_time=5.0
            ) as link:
                tell(f"connected to {host}:{port}")
                while not _answered(link, answer, most()):
                    lost, told = time.monotonic(), ""
                return
        except _Ended as end:
            reason = one_line(end)
            if any(words in reason for words in ("401 Unauthorized", "404 Not Found", "No SuperNode found")):
                raise Refused(REFUSED) from None
        except Exception as failed:
            reason = one_line(failed)
        if time.monotonic() - lost > patience:
            raise InputError(f"{host}:{port} cannot be joined: {reason[:120]}")
        if told != (told := f"waiting for {host}:{port} ({reason[:80]})"):
            tell(told)
        time.sleep(1.0)


class _Ended(Exception):
    """Flower wanted to end the process."""


def _answered(link: Any, answer: Callable[[bytes, int], bytes], most: int) -> bool:
    """Answer one request, if there is one; say whether it was that it is over."""
    from flwr.app import Message
    from flwr.supercore.inflatable import inflatable_object, inflatable_utils

    node, receive, send, _, _, pull, push, confirm = link
    got = receive()
    if got is None:
        time.sleep(_POLL)
        return False
    shell, tree = got
    run, name = shell.metadata.run_id, shell.metadata.message_id
    pieces = [part.object_id for part in inflatable_object.iterate_object_tree(tree)]
    contents = inflatable_utils.pull_objects(pieces, pull_object_fn=lambda piece: pull(run, piece))
    confirm(run, name)
    message: Any = inflatable_utils.inflate_object_from_contents(name, contents)
    message.metadata.__dict__["_message_id"] = name
    _we_are(1, run, node)
    began, payload = time.monotonic(), _read(message.content)
    reply: Any = Message(
        _sent(answer(payload if len(payload) <= most else b"", 2**33) if payload else b""), reply_to=message
    )
    reply.metadata.__dict__["_message_id"] = reply.object_id
    with inflatable_object.no_object_id_recompute():
        objects, tree = inflatable_object.get_all_nested_objects(reply), inflatable_object.get_object_tree(reply)
        needed, session = send(reply, tree, time.monotonic() - began)
        for piece in needed:
            push(run, session, piece, objects[piece].deflate())
    return not payload
