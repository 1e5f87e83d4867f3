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


@pytest.mark.parametrize("end", ["", "stopped", "completed", "failed"])
def test_an_archived_experiment_is_taken_back_as_it_was(
    end: str, create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("dead")
    with event_writer.open_log(run.id, settings) as writer:
        transitions.start_run(run, writer, {})
        if end:
            writer.append(end, {"reason": "interrupted"})
    before = store.load_run(run.id, settings)
    archived = transitions.archive_run(run.id, settings)
    assert (archived.state, archived.state_before_archive) == (RunState.ARCHIVED, before.state)
    with pytest.raises(ExperimentError, match=f"recsys experiment unarchive {run.id}"):
        transitions.check_runnable(archived, resume=True)
    back = transitions.unarchive_run(run.id, settings)
    assert (back.state, back.reason, back.attempts) == (before.state, before.reason, before.attempts)
    with pytest.raises(ExperimentError, match="is not archived"):
        transitions.unarchive_run(run.id, settings)


@pytest.mark.parametrize(
    ("end", "data", "advice"),
    [
        ("completed", {}, "clone"),
        ("failed", {"final": True}, "clone"),
        ("failed", {}, "experiment resume"),
        ("archived", {}, "unarchive"),
    ],
)
def test_a_finished_experiment_cannot_be_started(
    end: str, data: dict[str, bool], advice: str, create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("done")
    with event_writer.open_log(run.id, settings) as writer:
        writer.append(end, data)
        before = store.load_run(run.id, settings)
        with pytest.raises(ExperimentError, match=advice):
            transitions.start_run(before, writer, {})
    assert store.load_run(run.id, settings) == before


def test_an_experiment_is_archived_once(create: Callable[[str], Run], settings: Settings) -> None:
    run = create("old")
    assert transitions.archive_run(run.id, settings).state_before_archive is RunState.PLANNED
    with pytest.raises(ExperimentError, match="archived already"):
        transitions.archive_run(run.id, settings)
