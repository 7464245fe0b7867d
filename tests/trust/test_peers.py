"""Pairings on the disk."""

from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_trust.identity import load_or_make_identity
from spotcheck_trust.peers import PairedBy, Peer, Peers


def peer(folder: Path, name: str, by: PairedBy = PairedBy.CODE) -> Peer:
    identity = load_or_make_identity(folder / f"{name}.pem", name)
    return Peer(name=name, certificate=identity.certificate, paired_by=by)


def test_pairing_is_found_again_by_its_certificate(tmp_path: Path) -> None:
    one, other = peer(tmp_path, "李"), peer(tmp_path, "b", PairedBy.CABLE)
    peers = Peers(tmp_path / "hosts")
    assert peers.all() == ()
    peers.add(one)
    peers.add(other)
    peers.add(one)
    again = Peers(tmp_path / "hosts")
    assert sorted(again.all(), key=lambda p: p.name) == sorted((one, other), key=lambda p: p.name)
    assert again.by_certificate(other.certificate) == other
    assert again.by_certificate(b"") is None
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "hosts").iterdir()} == {0o600}


def test_pairing_is_removed_by_key_or_name(tmp_path: Path) -> None:
    one, other = peer(tmp_path, "a"), peer(tmp_path, "b")
    peers = Peers(tmp_path / "hosts")
    peers.add(one)
    peers.add(other)
    assert peers.remove("a") == one
    with pytest.raises(ConfigurationError, match=r"no pairing has .* 'a'; there are: key:"):
        peers.remove("a")
    assert peers.remove(other.key_id) == other
    assert peers.all() == ()


def test_name_that_two_have_is_not_enough_to_remove_one(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    peers = Peers(tmp_path / "hosts")
    peers.add(peer(tmp_path, "a"))
    peers.add(peer(tmp_path / "other", "a"))
    with pytest.raises(ConfigurationError, match="several pairings have"):
        peers.remove("a")
    assert len(peers.all()) == 2


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format":1}', b"\xff"])
def test_damaged_pairing_is_named(tmp_path: Path, content: bytes) -> None:
    peers = Peers(tmp_path)
    (tmp_path / "key-0.peer").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"key-0\.peer is damaged .* pair anew"):
        peers.certificates()
