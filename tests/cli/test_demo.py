"""`recsys demo` on real ratings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def test_the_demo_trains_on_real_ratings_and_shows_everything(real_data_folder: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "RECSYS_HOME": str(tmp_path / "home"),
        "RECSYS_DATA": str(tmp_path / "data"),
        "RECSYS_DATA_PATH": str(real_data_folder),
    }
    command = [sys.executable, "-m", "movielens_recsys", "demo"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "100,000 ratings" in done.stdout
    for name in ("random", "popularity", "user+item", "perfect", "NDCG rated"):
        assert name in done.stdout
    best, small_vae, bias = (
        float(re.search(rf"^ *{re.escape(row)} +(0\.\d+)", done.stdout, re.MULTILINE).group(1))  # type: ignore[union-attr]
        for row in ("stars_and_lists", "quickstart", "user+item bias")
    )
    assert best < small_vae < bias
    assert len(re.findall(r"\(19\d\d\) +[345]\.\d\d", done.stdout)) >= 8
    assert "ordered by how likely the user is to choose the item next, not how they would" in done.stdout
    page = Path(re.search(r"The full report: (.*report\.html)", done.stdout).group(1))  # type: ignore[union-attr]
    assert "stars_and_lists" in page.read_text()
    assert done.stdout.count(".venv/bin/recsys ") == 3
