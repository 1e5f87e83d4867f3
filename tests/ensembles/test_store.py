"""A plan is found by its name as it was saved, and an ensemble's state is that of its files and its lock."""

from __future__ import annotations

import pytest

from movielens_recsys.ensembles.store import (
    PLAN,
    REPORT,
    ensemble_folder,
    ensemble_lock,
    ensemble_names,
    find_ensemble,
    load_plan,
    load_report,
    save_plan,
    state_of,
)
from movielens_recsys.errors import ExperimentError, UnknownNameError
from movielens_recsys.settings import Settings


def test_a_plan_is_found_as_it_was_saved(settings: Settings) -> None:
    specs = [{"template": "quickstart", "seeds": [1, 2]}]
    plan = save_plan("both", ["a_1", "b_2"], "ridge", specs, settings)
    assert find_ensemble("both", settings) == load_plan("both", settings) == plan
    assert (plan.members, plan.blend, plan.member_specs) == (("a_1", "b_2"), "ridge", specs)
    assert ensemble_names(settings) == ["both"]
    with pytest.raises(UnknownNameError, match="did you mean 'both'"):
        find_ensemble("bth", settings)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"name": "both", "wishes": [], "members": 1}'])
def test_a_damaged_plan_is_named(content: str, settings: Settings) -> None:
    save_plan("both", ["a", "b"], "mean", [], settings)
    (ensemble_folder("both", settings) / PLAN).write_text(content)
    with pytest.raises(ExperimentError, match=rf"cannot use .*{PLAN}"):
        load_plan("both", settings)


def test_the_state_is_running_under_the_lock_and_completed_with_a_report(settings: Settings) -> None:
    save_plan("both", ["a", "b"], "mean", [], settings)
    assert state_of("both", settings) == "unfinished"
    with ensemble_lock("both", settings):
        assert state_of("both", settings) == "running"
        with pytest.raises(ExperimentError, match="run by another process"), ensemble_lock("both", settings):
            pass
    assert state_of("both", settings) == "unfinished"
    assert load_report("both", settings) is None
    report = ensemble_folder("both", settings) / REPORT
    report.write_text('{"blend": "mean"}')
    assert load_report("both", settings) == {"blend": "mean"}
    assert state_of("both", settings) == "completed"
    report.write_text("{")
    with pytest.raises(ExperimentError, match="remove it and run"):
        load_report("both", settings)


def test_a_refused_request_leaves_no_folder(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), ensemble_lock("never", settings):
        raise ZeroDivisionError
    assert not ensemble_folder("never", settings).exists()
