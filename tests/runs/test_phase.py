"""What a run is doing, by its log and by the process that holds it."""

from __future__ import annotations

import pytest

from movielens_recsys.runs.events import Event
from movielens_recsys.runs.phase import RunPhase, phase_of
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState


@pytest.mark.parametrize(
    ("kinds", "phase"),
    [
        ("created started", RunPhase.LOADING),
        ("created started data", RunPhase.TRAINING),
        ("created started data epoch utilization finding", RunPhase.TRAINING),
        ("created started data epoch fitted", RunPhase.EVALUATING),
        ("created started data epoch fitted evaluated evaluated", RunPhase.EVALUATING),
        ("created started data epoch fitted evaluated evaluated gate", RunPhase.SAVING),
        ("created started data epoch stopped resumed", RunPhase.LOADING),
        ("created started data epoch stopped resumed data", RunPhase.TRAINING),
        ("created started data fitted evaluated gate stopped resumed data", RunPhase.EVALUATING),
        ("created started data fitted evaluated gate started data", RunPhase.TRAINING),
    ],
)
def test_a_running_run_is_in_the_phase_of_its_last_event(kinds: str, phase: RunPhase) -> None:
    events = [Event(number, "", kind, {}) for number, kind in enumerate(kinds.split(), start=1)]
    run = Run("a_1", state=RunState.RUNNING)
    assert phase_of(run, events, held=True) is phase
    assert phase_of(run, events, held=False) is None


@pytest.mark.parametrize("state", RunState)
def test_a_run_that_is_held_before_its_start_is_logged_is_loading(state: RunState) -> None:
    if state is not RunState.RUNNING:
        expected = None if state.finished else RunPhase.LOADING
        assert phase_of(Run("a_1", state=state), [], held=True) is expected
        assert phase_of(Run("a_1", state=state), [], held=False) is None
