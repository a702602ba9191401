"""All that crosses between clients and server in a private run over HTTPS, read at the clients' end of the TLS."""

import base64
import json
from itertools import chain

import numpy as np
import pytest

pytest.importorskip("cryptography")
pytest.importorskip("uvicorn")

from safetensors import safe_open
from safetensors.numpy import load_file

from learning.algorithms import method_named
from learning.federation.messages import Start
from learning.models import MARK
from learning.privacy.keys import KEY_BYTES, keys_folder
from marketproof.federation import https_client, https_server
from marketproof.federation.own_model import write_own
from marketproof.records.export_model import export_model
from marketproof.running.execution import Place, run
from marketproof.running.privacy import Keyring
from marketproof.running.recorder import recorded_config
from mechanism.errors import InputError
from tests.marketproof.federation.crew import Crew
from tests.marketproof.federation.federation import tensors
from tests.marketproof.federation.test_federation import TASK

NAMES = ("alice", "bob", "carol")
METHODS = ["ipfl/ipfl-exact", "ipfl-effective/realised", "ditto"]
TEXT = (
    TASK.replace("clients = 2", "clients = 3").replace("steps = 20", "steps = 3")
    + "[privacy]\nepsilon = 8.0\nnoise = 1.0\n"
)


@pytest.fixture(scope="module")
def crossed(tmp_path_factory, quick):
    """Return the crew, the folder of its run, what crossed, and the noise keys and runs of the clients by name."""
    folder, passed, runs = tmp_path_factory.mktemp("crossed"), [], {}
    plain = https_client._Line.post

    def post(self, path, headers, body=b"", *more):
        status, told, content = plain(self, path, headers, body, *more)
        said = (path, *chain.from_iterable((headers | told).items()))
        passed.extend([" ".join(said).encode(), bytes(body), content])
        return status, told, content

    def answer(name, message, client, payload, most):
        reply = client.answer(payload)
        if isinstance(message, Start):
            runs.setdefault(name, {})[message.method] = (message.run, client._share)
        return reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(https_server, "POLL", 0.2)
        patch.setattr(https_client._Line, "post", post)
        patch.setenv("MARKETPROOF_KEYS", str(folder / "keys"))
        crew = Crew(folder, NAMES, answer)
        made = crew.serve(TEXT, methods=METHODS)
        keys = {
            (name, method): next(keys_folder(f"{label}.{name}").iterdir()).read_bytes()
            for name in NAMES
            for method, (label, _) in runs[name].items()
        }
        yield made, b"\n".join(passed), runs, keys


def written(numbers):
    """Return the bytes of an array in every usual type that can hold its numbers."""
    kinds = (np.float32, np.float64, np.float16, np.uint8, np.int16, np.int32, np.int64)
    scaled = [numbers * scale for scale in (1, 16, 255, 1 / 16, 1 / 255)]  # digits are of 16 grey levels
    cast = [(one.astype(kind), one) for one in scaled for kind in kinds]
    return {one.tobytes() for one, exact in cast if np.allclose(one, exact, rtol=1e-3, atol=0.0)}


def test_the_noise_keys_are_the_clients_own_and_never_cross(crossed):
    _, whole, _, keys = crossed
    assert len(set(keys.values())) == len(NAMES) * len(METHODS)
    for key in keys.values():
        assert len(key) == KEY_BYTES
        for told in (key, key.hex().encode(), base64.b64encode(key), repr(key).encode()):
            assert told not in whole


def test_no_sample_no_label_count_and_no_private_model_crosses(crossed):
    made, whole, runs, _ = crossed
    models = load_file(next((made / "models").glob("ipfl__*")))
    rows = next(array for array in models.values() if array.ndim == 2 and len(array) == len(NAMES))
    assert rows[0].tobytes() in whole  # what does cross is found
    plain = whole.replace(b" ", b"")
    for name in NAMES:
        for _, share in runs[name].values():
            bench = share.bench
            labels = bench.tensors["train_y"].numpy()
            for x in (bench.tensors["train_x"][:20], bench.tensors["test_x"][:5]):
                for sample in chain(x.numpy(), bench.inputs(x).numpy()):
                    assert not [told for told in written(sample) if told in whole]
            counts = np.bincount(labels, minlength=10)
            for row in (counts, counts / len(labels), share.weights, labels):
                assert not [told for told in written(row) if told in whole]
                for told in (row.tolist(), row.astype(float).tolist(), row[row > 0].tolist()):
                    assert ",".join(map(str, told)).encode() not in plain
            for row in share.private.values():
                assert row.numpy().tobytes() not in whole
    assert runs["alice"]["ditto"][1].private


def test_the_model_that_a_client_keeps_is_the_servers_or_one_that_the_server_has_not(crossed, tmp_path):
    """Bitwise; with what is needed to load it. A model that never left its client is nowhere else."""
    made, _, runs, _ = crossed
    for name, method in zip(NAMES, METHODS, strict=True):
        run, share = runs[name][method.partition("/")[0]]
        write_own(tmp_path, run, share)
        (kept,) = tmp_path.glob("*.safetensors")
        assert kept.name in tensors(made, "models")
        ours = safe_open(kept, framework="np")
        flat = np.concatenate([ours.get_tensor(part).reshape(-1) for part in share.bench.network.layout.names])
        deployed = method_named(method.partition("/")[0]).deployed
        recorded = load_file(made / "models" / kept.name)[f"slot/{deployed}" if deployed else "rows"]
        own = share.private[deployed].numpy() if share.private else recorded[NAMES.index(name)]
        assert flat.tobytes() == own.tobytes()
        if share.private:
            with pytest.raises(InputError, match="join --models"):
                export_model(made, name, method, tmp_path / "exported", quiet=True)
        else:
            export_model(made, name, method, tmp_path / "exported", quiet=True)
            theirs = safe_open(tmp_path / "exported", framework="np")
            taken = [json.loads(one.metadata()[MARK]) for one in (ours, theirs)]
            assert [told | {"slot": ""} for told in taken[:1]] == [told | {"slot": ""} for told in taken[1:]]
            rows = [theirs.get_tensor(part).reshape(-1) for part in share.bench.network.layout.names]
            assert flat.tobytes() == np.concatenate(rows).tobytes()
        kept.unlink()


def test_a_private_run_over_the_network_is_the_plain_loops_with_the_same_keys(crossed, tmp_path, monkeypatch):
    """With the noise given: sought for a budget, a client alone finds other last digits than all together."""
    made, _, _, keys = crossed
    config = recorded_config(made).model_copy(update={"federation": "", "methods": METHODS[:1]})
    monkeypatch.setattr(Keyring, "keys", lambda self, unit: [keys[name, "ipfl"] for name in NAMES])
    monkeypatch.setenv("MARKETPROOF_KEYS", str(tmp_path / "keys"))
    run(config, tmp_path / "alone", Place("rows", "cpu"), resume=False, quiet=True)
    for kind in ("markets", "models"):
        theirs = tensors(tmp_path / "alone", kind)
        assert theirs
        for file, found in theirs.items():
            ours = tensors(made, kind)[file]
            assert [name for name in found if found[name] != ours.get(name)] == [], file
    market = load_file(next((made / "markets").glob("ipfl__*")))
    assert market["imports"].any()
    assert (market["epsilon"][-1] > 0).all()
