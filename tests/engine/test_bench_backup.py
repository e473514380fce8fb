"""`python -m tests.bench.backup`: what it measures has really been done, with few rows."""

import pytest

from tests.bench.backup import main


@pytest.mark.exhaustive
def test_every_figure_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "2000", "--rounds", "1"]) == 0
    said = capsys.readouterr().out
    assert "2,200 rows" in said
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if line[:1] == "│"]
    assert len(rows) == 6
    assert all(float(seconds) > 0 for _, seconds, _ in rows)
