"""`serve` and `join` tell in one line what is wrong, and leave nothing behind."""

import pytest

pytest.importorskip("cryptography")

from marketproof.federation.address import address
from marketproof.federation.keys import Register, make_identity
from mechanism.errors import InputError


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """Two registered clients in the folder federation of the working folder, and a key of theirs."""
    monkeypatch.chdir(tmp_path)
    for name in ("alice", "bob"):
        Register(tmp_path / "federation").add(make_identity(tmp_path, name).certificate)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("markets.example.org", ("markets.example.org", 8443)),
        ("10.0.0.1:9000", ("10.0.0.1", 9000)),
        ("[::1]:9000", ("::1", 9000)),
        ("::1", ("::1", 8443)),
        ("[::1]", ("::1", 8443)),
    ],
)
def test_addresses_are_read_as_users_write_them(text, found):
    assert address(text) == found


@pytest.mark.parametrize("text", ["", ":", "host:", "host:port", "host:99999", "host:٣"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InputError, match="is no address"):
        address(text)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["serve", "digits-niid", "--keys", "elsewhere"], "0 clients are registered in 'elsewhere'"),
        (["serve", "digits-niid"], "has no key of a server; make one: marketproof keys server HOST"),
        (["serve", "digits-niid", "--via", "pigeon"], "there is no link 'pigeon'"),
        (["serve", "digits-niid", "--listen", "host:port"], "is no address"),
        (["serve", "digits-niid", "--resume"], "--resume needs --out DIR"),
        (["serve", "nothing"], "unknown task 'nothing'"),
        (["join", "--server", "h", "--key", "no.key", "--cost", "1", "--gain", "1"], "cannot read 'no.key'"),
        (["join", "--server", "h", "--key", "alice.key", "--cost", "1", "--gain", "1", "--data", "no"], "'no' is not"),
        (["join", "--server", "h", "--key", "alice.key", "--cost", "-1", "--gain", "1"], "--cost"),
        (["join", "--server", "h", "--key", "alice.key", "--cost", "1", "--gain", "1"], "no certificate of a server"),
    ],
)
def test_wrong_wishes_are_told_in_a_line_and_leave_nothing(cli, keys, arguments, line):
    before = sorted(keys.rglob("*"))
    assert line in cli(*arguments).line()
    assert sorted(keys.rglob("*")) == before
