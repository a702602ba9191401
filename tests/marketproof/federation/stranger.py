"""Run on another host by `test_hosts`: try what a stranger could, say as JSON all that the server let it read.

    python -m tests.marketproof.federation.stranger FOLDER HOST PORT NAME ...

Each NAME is a key in FOLDER, "-" none. A call that is hung up on is "refused".
"""

import http.client
import json
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from marketproof.federation.https_client import ALIVE, NEXT, Refused, attend
from marketproof.federation.keys import Identity

CALLS = (
    NEXT, ALIVE, "/", "/docs", "/v1/control/register-node", "/v1/control/start-run", "/v1/runtime/acquire-task",
    "/v1/fleet/pull-messages",
)  # fmt: skip

PATIENT = 120


def call(connection: http.client.HTTPConnection, path: str) -> str:
    """Return status and body of the answer to a call."""
    try:
        connection.request("POST", path, b"x", {"session": "0" * 32, "first": "1", "flwr-public-key": "stranger"})
        answer = connection.getresponse()
        return f"{answer.status} {answer.read().decode('latin-1')}".strip()
    except (OSError, http.client.HTTPException):
        return "refused"
    finally:
        connection.close()


def tried(folder: Path, host: str, port: int, name: str) -> dict[str, object]:
    """Return what the server answers to the calls under a key, and to a client that asks for work."""
    context = ssl.create_default_context(cafile=folder / "server.crt")
    found: dict[str, object] = {}
    if name == "-":
        plain = [call(http.client.HTTPConnection(host, port, timeout=PATIENT), path) for path in CALLS]
        found["plain"] = plain
    else:
        key = Identity.at(folder / f"{name}.key")
        context.load_cert_chain(key.certificate, key.key)
        asked: list[bytes] = []
        try:
            attend(host, port, folder / "server.crt", key, lambda payload, most: asked.append(payload) or b"", 60.0)
        except Refused as refused:
            found["work"] = [str(refused), len(asked)]
    found["calls"] = [
        call(http.client.HTTPSConnection(host, port, timeout=PATIENT, context=context), path) for path in CALLS
    ]
    return found


if __name__ == "__main__":
    place, address, gate, *names = sys.argv[1:]
    with ThreadPoolExecutor() as together:
        answers = together.map(lambda name: tried(Path(place), address, int(gate), name), names)
        print(json.dumps(dict(zip(names, answers, strict=True))))  # noqa: T201
