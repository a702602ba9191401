"""Run by `test_flower` in a process of its own (Flower warns, and leaves sockets open): what came of it, as JSON.

    python -m tests.marketproof.federation.flower_scene FOLDER [HOST PORT]

With the address of a server: only what that answers to a stranger there.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path

import httpx
from flwr.proto.control_pb2 import RegisterNodeRequest, StartRunRequest
from flwr.proto.fab_pb2 import Fab
from flwr.proto.runtime_pb2 import AcquireTaskRequest
from flwr.supercore.control.control_http_client import ControlHttpClient
from flwr.supercore.interceptors import RuntimeVersionHttpInterceptor
from flwr.supercore.primitives.asymmetric import public_key_to_bytes
from flwr.supercore.runtime import RuntimeHttpClient

from learning.federation.transport import Request
from marketproof.federation.flower_link import FlowerTransport
from marketproof.federation.keys import Register, make_identity, read_certificate

PAUSE = 0.1  # between two looks at who is there
CLIENT = """
import pathlib, sys, threading
from marketproof.federation.flower_link import attend
from marketproof.federation.keys import Identity
folder, port, name = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
key = Identity.at(folder / f"{name}.key")

def answer(payload, most):
    if payload == b"slow":
        while not (folder / "over").exists():
            threading.Event().wait(0.1)
    return name.encode() + payload

try:
    attend("127.0.0.1", port, folder / "server.crt", key, answer, 0.0)
    print("over")
except Exception as error:
    print(type(error).__name__, error)
"""


def scene(folder: Path) -> dict[str, object]:
    server = make_identity(folder, "server", ["127.0.0.1"])
    for name in ("alice", "bob"):
        Register(folder).add(make_identity(folder, name).certificate)
    make_identity(folder, "stranger")
    transport = FlowerTransport("127.0.0.1", 0, server, Register(folder), 120.0)
    transport.names = ("alice", "bob")

    def client(name: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", CLIENT, str(folder), str(transport.port), name]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def ask(*requests: tuple[int, bytes, int]) -> list[str]:
        replies = transport.exchange([Request(*request) for request in requests])
        return [reply.decode() if isinstance(reply, bytes) else f"away: {reply.reason}" for reply in replies]

    found: dict[str, object] = {"rogue": rogue(folder, "127.0.0.1", transport.port)}
    alice, bob, stranger = (client(name) for name in ("alice", "bob", "stranger"))
    while transport.online() != ["alice", "bob"]:
        threading.Event().wait(PAUSE)
    found["answers"] = ask((1, b"1", 100), (0, b"2", 100), (1, b"3", 3))
    transport._deadline = 2.0
    found["late"] = ask((1, b"slow", 100), (0, b"4", 100))
    (folder / "over").touch()
    transport._deadline = 120.0
    found["after"] = ask((1, b"5", 100))
    found["stranger"] = stranger.communicate()[0]
    Register(folder).revoke("bob")
    found["revoked"] = ask((1, b"secret", 100), (0, b"x", 100))
    found["online"] = transport.online()
    transport.close()
    found["alice"] = alice.communicate()[0]
    bob.kill()
    bob.communicate()
    return found


def rogue(folder: Path, host: str, port: int) -> list[str]:
    """Try what succeeds with stock Flower for whoever holds the server's certificate, then plain HTTP."""
    told = {
        "server_address": f"{host}:{port}", "insecure": False,
        "root_certificates": (folder / "server.crt").read_bytes(),
        "interceptors": [RuntimeVersionHttpInterceptor(component_name="flwr CLI")],
    }  # fmt: skip
    control, runtime = ControlHttpClient.from_server_address(**told), RuntimeHttpClient.from_server_address(**told)
    key = public_key_to_bytes(read_certificate(folder / "stranger.crt").public_key())
    answers = []
    for call, request in (
        (control.RegisterNode, RegisterNodeRequest(public_key=key, name="stranger")),
        (control.StartRun, StartRunRequest(fab=Fab(content=b"evil"))),
        (runtime.AcquireTask, AcquireTaskRequest(supported_task_types=["flwr-serverapp"])),
    ):
        try:
            answers.append(str(call(request)))
        except httpx.HTTPStatusError as error:
            answers.append(str(error.response.status_code))
    try:
        answers.append(str(httpx.post(f"http://{host}:{port}/v1/fleet/pull-messages").status_code))
    except httpx.TransportError:
        answers.append("refused")
    return answers


if __name__ == "__main__":
    place, *server = sys.argv[1:]
    print(json.dumps(rogue(Path(place), server[0], int(server[1])) if server else scene(Path(place))))  # noqa: T201
