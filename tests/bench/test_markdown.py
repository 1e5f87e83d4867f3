"""Pages keep what others wrote; the table of a terminal is brief."""

from __future__ import annotations

import dataclasses

from movielens_recsys.bench.markdown import START, brief, write_into
from movielens_recsys.bench.tables import result_tables


def test_a_page_keeps_the_text_outside_its_marks(saved, tmp_path):
    page = tmp_path / "small.md"
    page.write_text("# Results\n\nmine\n\n<!-- techniques -->\nrest\n<!-- end of techniques -->\n")
    assert write_into(tmp_path, result_tables(saved)) == [page]
    once = page.read_text()
    write_into(tmp_path, result_tables(saved))
    assert page.read_text() == once
    assert once.startswith("# Results\n\nmine\n\n<!-- techniques -->\nrest\n")
    assert once.count(START) == 1
    assert "| fake `crashing` | failed: its process ended with code 1: RuntimeError: the matrix" in once
    assert "| fake `crashing` | stars | – | – |" in once
    assert "better (`item_mean`)" in once
    assert "- `mean` (numpy " in once


def test_each_data_set_has_a_page_of_its_own(saved, tmp_path):
    [result_table] = result_tables(saved)
    other = dataclasses.replace(result_table, data={**result_table.data, "name": "a/b c"})
    paths = write_into(tmp_path / "pages", [result_table, other])
    assert [path.name for path in paths] == ["small.md", "a-b-c.md"]
    assert paths[1].read_text().startswith("# Results on a/b c\n")
    assert all(path.read_text().count("\n### Ratings: ") == 1 for path in paths)


def test_the_terminal_table_is_brief(saved):
    headers, rows = brief(result_tables(saved)[0])
    assert headers[:3] == ["row", "inputs", "RMSE"]
    assert rows[0][0] == "user_item_bias"
    assert rows[0][4].endswith(" better")
