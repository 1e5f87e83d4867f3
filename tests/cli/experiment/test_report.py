"""`recsys experiment report`: in a browser, or as a path; written anew where it is missing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.experiment.conftest import Create, Recsys

pytestmark = pytest.mark.usefixtures("with_store")


def test_a_report_is_opened_and_written_anew_if_it_is_missing(
    recsys: Recsys, created: Create, small_ratings: str, home: Path, tmp_path: Path
) -> None:
    run_id = created("user_item_bias", "mine", "-m", small_ratings)
    code, _, err = recsys("report", "mine", "--no-open")
    assert (code, "is planned and has no report yet; expected a completed one" in err) == (1, True)
    assert recsys("run", run_id)[0] == 0
    page = home / "runs" / run_id / "report.html"
    tables = re.findall(r"<table.*?</table>", page.read_text(), re.DOTALL)
    page.unlink()
    assert recsys("report", "mine", "--no-open") == (0, f"{page}\n", "")
    assert re.findall(r"<table.*?</table>", page.read_text(), re.DOTALL) == tables
    assert len(tables) > 3
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "movielens_recsys", "experiment", "report", "mine", "--json"]
    environment = {**os.environ, "BROWSER": str(browser)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"id": run_id, "report": str(page)}
    assert (tmp_path / "opened").read_text().strip() == page.as_uri()
    (page.parent / "report.json").write_text("{")
    page.unlink()
    code, _, err = recsys("report", "mine", "--no-open")
    assert (code, f"`recsys experiment clone {run_id} NEW_NAME`" in err) == (1, True)
