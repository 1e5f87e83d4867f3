from collections.abc import Callable

from movielens_recsys.runs import store
from movielens_recsys.runs.events import new_event, read_events
from movielens_recsys.runs.replay import Replay, replay
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings

Finish = Callable[..., Run]


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
