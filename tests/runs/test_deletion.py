"""Deletion: of archived runs only, whole or not at all, with nothing left of them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from movielens_recsys.errors import ExperimentError, StorageError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import deletion, store, transitions
from movielens_recsys.runs.event_writer import open_log
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings

Create = Callable[[str], Run]


@pytest.fixture
def archived(settings: Settings) -> Run:
    return transitions.archive_run(create(settings), settings)


def create(settings: Settings) -> str:
    return store.create_run(config_from_template("popularity", "old"), settings).id


def test_an_archived_run_is_deleted_with_its_predictions(archived: Run, settings: Settings) -> None:
    other = create(settings)
    predictions = settings.predictions / f"{archived.id}.npz"
    predictions.parent.mkdir()
    predictions.touch()
    (settings.runs / ".deleted-another").mkdir()
    deletion.delete_run(archived.id, settings)
    assert [path.name for path in settings.runs.iterdir()] == [other]
    assert not predictions.exists()


def test_another_run_is_refused_with_the_command_that_archives_it(settings: Settings) -> None:
    run_id = create(settings)
    with pytest.raises(ExperimentError, match=f"is planned.*`recsys experiment archive {run_id}`"):
        deletion.delete_run(run_id, settings)
    assert store.run_ids(settings) == [run_id]


def test_a_run_that_another_process_holds_is_refused(archived: Run, settings: Settings) -> None:
    with open_log(archived.id, settings), pytest.raises(ExperimentError, match="another process"):
        deletion.delete_run(archived.id, settings)
    assert store.run_ids(settings) == [archived.id]


def test_a_disk_that_refuses_leaves_the_run(archived: Run, settings: Settings) -> None:
    (settings.runs / f".deleted-{archived.id}").mkdir()
    (settings.runs / f".deleted-{archived.id}" / "file").touch()
    with pytest.raises(StorageError, match="cannot delete"):
        deletion.delete_run(archived.id, settings)
    assert store.load_run(archived.id, settings) == archived


def test_a_process_that_is_killed_leaves_nothing_that_is_read(archived: Run, settings: Settings) -> None:
    program = """
        import os, shutil, signal, sys
        from pathlib import Path
        from movielens_recsys.runs import deletion
        from movielens_recsys.settings import Settings

        shutil.rmtree = lambda *words, **options: os.kill(os.getpid(), signal.SIGKILL)
        deletion.delete_run(sys.argv[1], Settings(home=Path(sys.argv[2])))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), archived.id, str(settings.home)]
    assert subprocess.run(command, check=False).returncode == -9
    assert store.run_ids(settings) == []
    assert store.load_runs(settings) == ([], [])
