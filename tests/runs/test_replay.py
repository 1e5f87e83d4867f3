from collections.abc import Callable

import pytest

from movielens_recsys.errors import ExperimentError
from movielens_recsys.runs import event_writer, store
from movielens_recsys.runs.events import new_event, read_events
from movielens_recsys.runs.replay import Replay, replay
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings

Finish = Callable[..., Run]
CREATED = {**dict.fromkeys(("name", "template", "description", "model", "config_hash"), "a"), "tags": []}


def test_replay_event_by_event_gives_the_state_of_the_whole_log(finish: Finish, settings: Settings) -> None:
    run = finish("a", {"rmse": 0.9}, epochs=3)
    log = read_events(store.run_folder(run.id, settings) / "events.jsonl")
    replayed, states = Replay(run.id), []
    for event in log:
        replayed.apply(event)
        states.append(replayed.run)
    assert states[-1] == run
    assert states == [replay(run.id, log[: count + 1]) for count in range(len(log))], (
        "states do not change later"
    )


def test_an_epoch_that_a_crash_repeats_is_counted_once(finish: Finish, settings: Settings) -> None:
    run = finish("a", epochs=2)
    log = read_events(store.run_folder(run.id, settings) / "events.jsonl")
    repeated = [event for event in log if event.kind == "epoch"][-1]
    again = replay(run.id, [*log, new_event(len(log) + 1, "epoch", {**repeated.data, "val_rmse": 0.5})])
    assert [record["epoch"] for record in again.history] == [1, 2]
    assert again.history[-1]["val_rmse"] == 0.5


def test_unknown_kinds_of_events_are_skipped(finish: Finish, settings: Settings) -> None:
    run = finish("a")
    log = read_events(store.run_folder(run.id, settings) / "events.jsonl")
    assert replay(run.id, [*log, new_event(len(log) + 1, "of_a_later_version", {})]) == run


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("epoch", {"epoch": 3}),
        ("epoch", {}),
        ("evaluated", {"part": "test", "figures": {"rmse": {"wert": 1.0}}}),
        ("evaluated", {"part": "test", "figures": None}),
        ("fitted", {}),
        ("data", {"data": {}}),
        ("created", {"name": "a"}),
    ],
)
def test_an_event_without_what_its_kind_has_is_named(kind: str, data: dict[str, object]) -> None:
    log = [new_event(1, "created", CREATED), new_event(2, kind, data)]
    with pytest.raises(ExperimentError, match=f"event 2 of a, '{kind}', cannot be read"):
        replay("a", log)


def test_a_run_with_such_an_event_does_not_hide_the_others(finish: Finish, settings: Settings) -> None:
    broken, whole = finish("broken"), finish("whole")
    with event_writer.open_log(broken.id, settings) as writer:
        writer.append("later", {})
    path = store.run_folder(broken.id, settings) / "events.jsonl"
    path.write_text(path.read_text().replace('"best_epoch":', '"beste_epoche":'))
    runs, errors = store.load_runs(settings)
    assert [run.id for run in runs] == [whole.id]
    assert "'fitted', cannot be read" in str(errors[0])


def test_a_cap_given_at_a_start_applies_as_one_given_at_a_resumption(finish: Finish) -> None:
    run_id = finish("a").id
    for kind in ("started", "resumed"):
        began = new_event(1, kind, {"attempt": 1, "cap_usd": 3.5})
        assert replay(run_id, [began]).cap_usd == 3.5
