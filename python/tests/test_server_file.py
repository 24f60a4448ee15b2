"""The server file: what is refused, and how it is followed."""

import errno
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from a2a_totp.server_file import ServerFile
from a2a_totp.server_file_text import ServerFileError, parse_server_file

VECTORS = json.loads((Path(__file__).parents[2] / "test" / "vectors" / "wire.json").read_text(encoding="utf-8"))
FILE = VECTORS["files"]["own"]
KEY = b"\x01" * 20
SHORT_SEED = [{"id": "a", "seed": "JBSWY3DPEHPK3PXP"}]
CANARY = {"name": "bait", "id": "k1", "hash": "sha256:" + "c" * 64}


def changed(**changes: Any) -> str:
    """The server file with other top-level fields."""
    return json.dumps({**FILE, **changes})


def alice(**changes: Any) -> str:
    """The server file with alice alone, and other fields of hers."""
    return changed(peers={"alice": {**FILE["peers"]["alice"], **changes}})


def profiled(**changes: Any) -> str:
    """The server file with another profile."""
    return changed(profile={**FILE["profile"], **changes})


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("{", "ERR_CONFIG_INVALID", "not JSON: line 1, column 2"),
        ("[" * 100_000, "ERR_CONFIG_INVALID", "not JSON"),
        ("[]", "ERR_CONFIG_INVALID", "the document must be an object"),
        (changed(version=2), "ERR_CONFIG_INVALID", "version must be 1"),
        (changed(agent={"name": "billing"}), "ERR_CONFIG_INVALID", "it is a store.*config server"),
        (changed(version=True), "ERR_CONFIG_INVALID", "version"),
        (changed(requires=["proofs"]), "ERR_CONFIG_INVALID", "requires asks for"),
        (profiled(period=5), "ERR_CONFIG_INVALID", "profile.period"),
        (profiled(window=True), "ERR_CONFIG_INVALID", "profile.window"),
        (profiled(algorithm=["SHA1"]), "ERR_CONFIG_INVALID", "profile.algorithm"),
        (profiled(header="Totp-Peer"), "ERR_CONFIG_INVALID", "profile.header"),
        (changed(peers={"a2at_pasted-here": {}}), "ERR_CONFIG_INVALID", r"peers.\(a key that is not shown\).replay"),
        (changed(sharedSeeds=FILE["peers"]["alice"]["seeds"]), "ERR_CONFIG_INVALID", "sharedSeeds"),
        (changed(peers={"a b": {}}), "ERR_CONFIG_INVALID", "name"),
        (alice(replay="never"), "ERR_CONFIG_INVALID", "peers.alice.replay"),
        (alice(seeds=[]), "ERR_SEED_MISSING", "peers.alice.seeds"),
        (alice(seeds=SHORT_SEED), "ERR_SEED_WEAK", "80 bits.*allow_weak_seeds"),
        (alice(seeds=[{"id": "a", "seed": "not base32!"}]), "ERR_CONFIG_INVALID", r"seeds\[0\].seed"),
        (alice(tokens=[{"id": "t", "hash": "md5:00"}]), "ERR_CONFIG_INVALID", r"tokens\[0\].hash"),
        (alice(tokens=FILE["peers"]["alice"]["tokens"] * 2), "ERR_CONFIG_INVALID", "listed twice"),
        (changed(canaries=[CANARY, CANARY]), "ERR_CONFIG_INVALID", r"canaries\[1\].hash must differ"),
        (
            changed(canaries=[{**CANARY, "hash": FILE["peers"]["bob"]["tokens"][0]["hash"]}]),
            "ERR_CONFIG_INVALID",
            r"canaries\[0\].hash",
        ),
        (changed(canaries=[{"name": "bait", "hash": CANARY["hash"]}]), "ERR_CONFIG_INVALID", r"canaries\[0\].id"),
    ],
)
def test_a_bad_file_is_refused_by_the_name_of_its_field(text: str, code: str, field: str) -> None:
    """And never quotes a seed. Thousands are compared in test/interop/python-server-files.test.ts."""
    with pytest.raises(ServerFileError, match=field) as caught:
        parse_server_file(text)
    assert caught.value.code == code
    assert "JBSWY3DP" not in str(caught.value)


def test_a_weak_seed_passes_where_that_is_asked_for() -> None:
    """RFC 4226 R6, and the way round it."""
    roster = parse_server_file(alice(seeds=SHORT_SEED), allow_weak_seeds=True)
    assert len(roster.peers["alice"].seeds) == 1


def test_canaries_are_nobodys_tokens() -> None:
    """In no list of peers."""
    roster = parse_server_file(changed(canaries=[CANARY]))
    assert [(canary.name, canary.id) for canary in roster.canaries.values()] == [("bait", "k1")]
    assert CANARY["hash"] not in roster.tokens


def test_secrets_do_not_print() -> None:
    """Neither seeds nor token hashes."""
    printed = repr(parse_server_file(changed(canaries=[CANARY])))
    assert repr(KEY) not in printed
    assert "sha256:" not in printed


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "server.json"
    path.write_text(json.dumps(FILE))
    path.chmod(0o600)
    yield path


Followed = tuple[ServerFile, list[dict[str, Any]]]


def followed(path: Path, monkeypatch: pytest.MonkeyPatch) -> Followed:
    """A file that is looked at whenever it is asked, and its events."""
    monkeypatch.setattr(ServerFile, "_look_every", 0)
    events: list[dict[str, Any]] = []
    return ServerFile(path, on_event=events.append, now=lambda: 1_780_332_007.25), events


def test_a_swapped_file_is_followed_and_a_broken_one_is_not(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the path, as Kubernetes swaps a link."""
    link = path.with_name("mounted")
    link.symlink_to(path)
    follow, events = followed(link, monkeypatch)
    assert set(follow().peers) == {"alice", "bob", "carol", "dave"}

    other = path.with_name("other.json")
    other.write_text(alice())
    other.chmod(0o600)
    swapped = path.with_name("swapped")
    swapped.symlink_to(other)
    os.replace(swapped, link)  # noqa: PTH105
    assert set(follow().peers) == {"alice"}

    other.write_text(alice(seeds=SHORT_SEED))
    for _ in range(3):
        assert set(follow().peers) == {"alice"}
    other.unlink()
    for _ in range(3):
        assert set(follow().peers) == {"alice"}
    base = {"at": "2026-06-01T16:40:07.250Z", "path": str(link)}
    assert events[0] == {"type": "server_file_loaded", **base}
    refused = [{key: event[key] for key in ("type", "at", "path", "code")} for event in events[1:]]
    assert refused == [
        {"type": "server_file_refused", **base, "code": code} for code in ("ERR_SEED_WEAK", "ERR_FILE_UNREADABLE")
    ]
    missing = "cannot be read: there is no such file (the previous file stays in force)"
    assert events[2]["message"] == f"server file {link}: {missing}"
    assert "JBSWY" not in events[1]["message"]


def test_an_older_file_is_loaded_and_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was revoked since is valid again."""
    path.write_text(json.dumps({**FILE, "serial": 7}))
    follow, events = followed(path, monkeypatch)
    for serial in (9, 8, 8, 10, None, 1):
        content = FILE if serial is None else {**FILE, "serial": serial}
        path.write_text(json.dumps(content) + " " * (serial or 0))
        assert follow().serial == serial
    told = [(event.get("serial"), event.get("older")) for event in events]
    # One that is written again may be another by its times.
    assert told == [
        (9, None),
        (8, True),
        *([(8, None)] if len(events) == 6 else []),
        (10, None),
        (None, None),
        (1, None),
    ]


def test_a_new_file_is_read_once_it_can_be(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process out of descriptors, say: the file does not change again, and must not be missed."""
    follow, events = followed(path, monkeypatch)
    path.write_text(alice())
    with monkeypatch.context() as patched:

        def exhausted(_: ServerFile) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        patched.setattr(ServerFile, "_read", exhausted)
        for _ in range(3):
            assert len(follow().peers) == 4
    assert set(follow().peers) == {"alice"}
    assert [event["type"] for event in events] == ["server_file_refused", "server_file_loaded"]


def test_a_mounted_secret_that_is_swapped_is_in_force_within_a_second(tmp_path: Path) -> None:
    """As the kubelet does it: a new folder, and one rename of `..data`."""

    def publish(version: str, text: str) -> None:
        folder = tmp_path / version
        folder.mkdir()
        (folder / "server.json").write_text(text)
        (folder / "server.json").chmod(0o640)
        (tmp_path / "..data_tmp").symlink_to(version)
        os.replace(tmp_path / "..data_tmp", tmp_path / "..data")  # noqa: PTH105

    publish("..v1", json.dumps(FILE))
    (tmp_path / "server.json").symlink_to("..data/server.json")
    follow = ServerFile(tmp_path / "server.json")
    for version, text, peers in (("..v2", alice(), 1), ("..v3", json.dumps(FILE), 4)):
        publish(version, text)
        until = time.monotonic() + 1
        while len(follow().peers) != peers:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_file_that_everybody_reads_is_reported_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Group-readable is how it is mounted."""
    path.chmod(0o640)
    follow, events = followed(path, monkeypatch)
    assert not events
    path.chmod(0o644)
    for _ in range(3):
        follow()
    assert [event["type"] for event in events] == ["server_file_exposed", "server_file_loaded"]
    assert events[0]["message"] == f"server file {path}: every user of this machine can read its seeds; run chmod o-r"


def test_what_is_no_file_is_an_error_at_the_start(tmp_path: Path) -> None:
    """A pipe would wait for a writer."""
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("none", "there is no such file"), ("pipe", "it is not a regular file"), (".", "cannot be read")):
        with pytest.raises(ServerFileError, match=why) as caught:
            ServerFile(tmp_path / name)
        assert caught.value.code == "ERR_FILE_UNREADABLE"
        assert str(caught.value).startswith(f"server file {tmp_path / name}")


def test_a_path_is_shown_on_one_line(tmp_path: Path) -> None:
    """Whoever made the folders."""
    with pytest.raises(ServerFileError) as caught:
        ServerFile(tmp_path / "a\n::error::b")
    assert "\n" not in str(caught.value)
    assert "::" not in str(caught.value)


def test_after_close_the_last_file_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes of it."""
    follow, events = followed(path, monkeypatch)
    follow.close()
    path.write_text(alice())
    assert (len(follow().peers), events) == (4, [])
