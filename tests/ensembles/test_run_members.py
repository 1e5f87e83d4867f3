"""Which members are trained, and how failures are reported."""

from __future__ import annotations

import pytest
from tests.example_runs import Finish, carry_on

from movielens_recsys.ensembles.executors import LocalExecutor
from movielens_recsys.ensembles.run_members import is_busy_elsewhere, run_members
from movielens_recsys.errors import CapReachedError, ExperimentError, TrainingStopped
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.locks import lock
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings


def test_completed_members_are_skipped_and_a_failed_one_is_reported(
    settings: Settings, finish: Finish
) -> None:
    lines: list[str] = []
    done = finish("done")
    run_members([done.id], settings, LocalExecutor(settings), report=lines.append)
    assert lines == []
    broken = finish("broken", end="failed")
    with pytest.raises(ExperimentError, match=r"is failed: it broke.*--members"):
        run_members([done.id, broken.id], settings, LocalExecutor(settings), report=lines.append)
    assert lines == []


def test_a_member_at_its_cap_names_the_command_to_resume(settings: Settings) -> None:
    expensive = {"resources": {"price_usd_per_hour": 3600.0, "cap_usd": 1.0}}
    run = store.create_run(config_from_template("quickstart", "expensive", expensive), settings)
    carry_on(run.id, settings, range(1, 2), "stopped", reason="at its cap", run_seconds=2.0)
    with pytest.raises(CapReachedError, match=f"resume {run.id} --cap-usd"):
        run_members([run.id], settings, LocalExecutor(settings))


def test_a_member_that_another_process_trains_is_waited_for(settings: Settings) -> None:
    run = store.create_run(config_from_template("quickstart", "theirs"), settings)
    assert not is_busy_elsewhere(run.id, settings)
    lines: list[str] = []
    record = settings.runs / run.id / "auto.json"
    record.touch()
    with lock(record) as held:
        assert held
        assert is_busy_elsewhere(run.id, settings)
        stops = iter([False] * 3)
        with pytest.raises(TrainingStopped):
            run_members(
                [run.id],
                settings,
                LocalExecutor(settings),
                stop=lambda: next(stops, True),
                report=lines.append,
            )
    assert lines == [f"{run.id}: another process trains it; waiting"]
