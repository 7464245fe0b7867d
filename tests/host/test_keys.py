import json
from pathlib import Path

import pytest

from spotcheck.errors import ConfigurationError, KeyRefusedError
from spotcheck_host.keys import (
    SigningKey,
    demonstration_key,
    generate_key,
    load_key,
    save_key,
)
from spotcheck_trust.key_names import is_demonstration_public_key


def test_demonstration_key_is_the_same_on_every_machine() -> None:
    key = demonstration_key(1, "tester")
    assert key.key_id == "demo:de09a3ec8dc8a0c5"
    assert key.public_hex == demonstration_key(1, "tester").public_hex
    assert key.public_hex != demonstration_key(2, "tester").public_hex
    assert key.public_hex != demonstration_key(1, "checker").public_hex


def test_demonstration_mark_is_in_the_public_key_itself() -> None:
    demo, real = demonstration_key(1, "tester"), generate_key("tester")
    assert is_demonstration_public_key(demo.public)
    assert not is_demonstration_public_key(real.public)
    with pytest.raises(KeyRefusedError):
        SigningKey(name="tester", private=demo.private, demo=False)
    with pytest.raises(KeyRefusedError):
        SigningKey(name="tester", private=real.private, demo=True)


def test_saved_key_is_loaded_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tester.key"
    key = generate_key("张三")
    save_key(key, path)
    loaded = load_key(path)
    assert (loaded.name, loaded.public_hex, loaded.demo) == ("张三", key.public_hex, False)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyRefusedError, match="never overwritten"):
        save_key(generate_key("other"), path)


def test_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tester.key"
    save_key(generate_key("tester"), path)
    path.chmod(0o644)
    with pytest.raises(KeyRefusedError, match="chmod 600"):
        load_key(path)


def test_edited_demonstration_mark_in_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo.key"
    save_key(demonstration_key(3, "tester"), path)
    content = json.loads(path.read_text("utf-8"))
    content["demonstration"] = False
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(KeyRefusedError, match="says otherwise"):
        load_key(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format":"other"}', "[" * 100_000])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.key"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError):
        load_key(path)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 65])
def test_unprintable_or_overlong_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        generate_key(name)
