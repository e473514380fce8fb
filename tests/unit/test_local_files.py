"""Files that hold secrets are the owner's alone, and never half-written."""

from pathlib import Path

import pytest

from devtools.local import state


@pytest.fixture(autouse=True)
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(state, "PRIVATE", tmp_path / ".engarde")
    return tmp_path / ".engarde"


def test_only_the_owner_reads_them(private: Path) -> None:
    state.write(private / "passphrase", "secret")
    assert (private / "passphrase").read_text() == "secret"
    assert (private / "passphrase").stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_the_file_as_it_was(private: Path) -> None:
    state.write(private / "record", "whole")
    with pytest.raises(UnicodeEncodeError):
        state.write(private / "record", "half \ud800")
    assert (private / "record").read_text() == "whole"
    state.write(private / "record", "new")
    assert [each.name for each in private.iterdir()] == ["record"]
