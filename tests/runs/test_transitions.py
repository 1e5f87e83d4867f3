from collections.abc import Callable

import pytest

from movielens_recsys.errors import ExperimentError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import event_writer, store, transitions
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


@pytest.fixture
def create(settings: Settings) -> Callable[[str], Run]:
    return lambda name: store.create_run(config_from_template("user_item_bias", name), settings)


def test_archiving_a_run_whose_process_died_marks_it_as_failed(
    create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("dead")
    with event_writer.open_log(run.id, settings) as writer:
        transitions.start_run(run, writer, {})
    archived = transitions.archive_run(run.id, settings)
    assert (archived.state, archived.state_before_archive) == (RunState.ARCHIVED, RunState.FAILED)
    assert "without recording why" in archived.reason


@pytest.mark.parametrize("end", ["completed", "failed", "archived"])
def test_a_finished_experiment_cannot_be_started(
    end: str, create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("done")
    with event_writer.open_log(run.id, settings) as writer:
        writer.append(end, {})
        before = store.load_run(run.id, settings)
        with pytest.raises(ExperimentError, match="clone"):
            transitions.start_run(before, writer, {})
    assert store.load_run(run.id, settings) == before


def test_an_experiment_is_archived_once(create: Callable[[str], Run], settings: Settings) -> None:
    run = create("old")
    assert transitions.archive_run(run.id, settings).state_before_archive is RunState.PLANNED
    with pytest.raises(ExperimentError, match="archived already"):
        transitions.archive_run(run.id, settings)
