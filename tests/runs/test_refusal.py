"""The last refusal of a run: kept, replaced, forgotten, and no reason to fail."""

from __future__ import annotations

from pathlib import Path

from movielens_recsys.runs.refusal import FILE_NAME, clear_refusal, read_refusal, record_refusal


def test_the_last_refusal_is_kept_until_the_run_goes_on(tmp_path: Path) -> None:
    assert read_refusal(tmp_path) is None
    record_refusal(tmp_path, "nothing there", passing=True)
    record_refusal(tmp_path, "other data", passing=False)
    refusal = read_refusal(tmp_path)
    assert refusal is not None
    assert (refusal.reason, refusal.passing) == ("other data", False)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    clear_refusal(tmp_path)
    clear_refusal(tmp_path)
    assert read_refusal(tmp_path) is None


def test_neither_a_damaged_file_nor_a_disk_that_refuses_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    assert read_refusal(tmp_path) is None
    record_refusal(tmp_path / FILE_NAME, "a file is no folder", passing=True)
