"""The message of each event: its title, text, fields and commands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.notify.conftest import Log

from movielens_recsys.notify.messages import Kind, Message
from movielens_recsys.notify.outbox import undelivered
from movielens_recsys.notify.text import as_text

FINDING = {"name": "loss_gap", "value": 0.21, "threshold": 0.15, "severity": "warning", "advice": "rest"}


def fields(message: Message) -> dict[str, str]:
    return dict(message.fields)


def finish(log: Log, *, met: bool) -> None:
    metrics = {"rmse": {"value": 0.9178, "low": 0.896, "high": 0.94}, "coverage": {"value": 0.5}}
    log.write("evaluated", part="test", relevance_threshold=4.0, figures=metrics)
    row = {"metric": "rmse", "target": "< 0.55", "protocol": "random split", "validation": 0.92}
    log.write("gate", targets=[{**row, "test": 0.9178, "met": met}])
    log.write("completed", run_seconds=3723.0)


def test_a_whole_run_in_order(log: Log) -> None:
    log.write("created", name="demo")
    log.start()
    log.write("data", data={}, split={})
    log.epoch(1)
    log.epoch(2, improved=False)
    log.write("finding", epoch=2, **FINDING)
    log.epoch(3, 0.92)
    log.write("fitted", best_epoch=3)
    finish(log, met=False)
    messages = undelivered(log.folder)
    assert [(message.kind, message.title) for message in messages] == [
        (Kind.START, "Started"),
        (Kind.BEST, "New best: val_rmse 0.9312 at epoch 1"),
        (Kind.WARNING, "Warning: loss_gap 0.21 against 0.15 at epoch 2"),
        (Kind.BEST, "New best: val_rmse 0.9200 at epoch 3"),
        (Kind.END, "Completed, 0 of 1 targets met"),
    ]
    assert [message.sequence for message in messages] == [2, 4, 6, 7, 11]
    assert fields(messages[0]) == {
        "model": "hybrid_vae",
        "data": "ml-100k, random split",
        "epochs at most": "50",
        "targets": "rmse < 0.55, precision_at_10 > 0.4",
        "device": "cpu, 2 CPUs, x86_64",
    }
    assert messages[2].text == "rest"


def test_rmse_and_loss_have_separate_names(log: Log) -> None:
    log.start()
    log.epoch(1, 0.54)
    finish(log, met=True)
    best, end = undelivered(log.folder)[1:]
    assert fields(best)["val_rmse"] == "0.5400 (target < 0.55: met)"
    assert fields(best)["val_loss"] == "0.8700 (MSE + KL weight × KL, not an RMSE)"
    assert fields(best)["duration"] == "0:00:01"
    assert fields(end) == {
        "test_rmse": "0.9178 [0.8960, 0.9400]",
        "val_loss": "0.8700 (MSE + KL weight × KL, not an RMSE)",
        "best epoch": "1",
        "target rmse < 0.55": "met: validation 0.9200, test 0.9178; random split",
        "duration": "1:02:03",
        "cost": "$0 (own machine)",
        "device": "cpu, 2 CPUs, x86_64",
    }
    assert end.commands == ("recsys experiment show demo_20261123_120000",)


@pytest.mark.parametrize(
    ("kind", "data", "message_kind", "title", "command"),
    [
        ("stopped", {"reason": "by a signal"}, Kind.STOP, "Stopped and saved", "resume ID"),
        (
            "stopped",
            {"reason": "the cap is spent", "cap_usd": 20.0},
            Kind.CAP,
            "Stopped at its cap of $20.00",
            "resume ID --cap-usd MORE",
        ),
        ("failed", {"reason": "bad data"}, Kind.FAILURE, "Failed", "clone ID NEW_NAME"),
    ],
)
def test_a_stop_or_failure_has_the_next_command(
    kind: str, data: dict[str, Any], message_kind: Kind, title: str, command: str, log: Log
) -> None:
    log.start()
    log.epoch(1)
    log.write(kind, **data)
    message = undelivered(log.folder)[-1]
    assert (message.kind, message.title) == (message_kind, title)
    assert message.commands == (f"recsys experiment {command}".replace("ID", log.folder.name),)
    assert message.text == data.get("reason", "")
    assert fields(message)["val_rmse"] == "0.9312 (target < 0.55: not met)"
    assert fields(message)["device"] == "cpu, 2 CPUs, x86_64"


OUT_OF_MEMORY = {
    "cause": "out_of_memory",
    "reason": "the device has no memory for a batch",
    "mode": "auto",
    "epoch": 3,
    "action": "smaller micro-batches",
    "changes": {"micro_batch_size": {"old": None, "new": 1536}},
    "commands": [],
}


def test_a_contingency_has_cause_action_and_changed_values(log: Log) -> None:
    log.start()
    log.epoch(1)
    log.write("contingency", **OUT_OF_MEMORY)
    message = undelivered(log.folder)[-1]
    assert (message.kind, message.title) == (Kind.CONTINGENCY, "Contingency: out_of_memory at epoch 3")
    assert message.text == "smaller micro-batches: the device has no memory for a batch"
    assert fields(message)["micro_batch_size"] == "null → 1536"
    assert fields(message)["val_rmse"] == "0.9312 (target < 0.55: not met)"
    assert message.commands == (f"recsys experiment show {log.folder.name}",)


def test_a_suggested_contingency_has_its_commands(log: Log) -> None:
    commands = ["recsys experiment clone x y", "recsys data check ml-100k"]
    log.write("contingency", **{**OUT_OF_MEMORY, "mode": "suggest", "changes": {}, "commands": commands})
    message = undelivered(log.folder)[0]
    assert message.title == "Suggested: out_of_memory at epoch 3"
    assert list(message.commands) == commands
    assert as_text(message).splitlines()[-2:] == [f"  next: {command}" for command in commands]


def test_after_a_return_to_an_earlier_epoch_the_best_is_of_the_remaining_epochs(log: Log) -> None:
    log.start()
    log.epoch(1, 0.95)
    log.epoch(2, 0.94)
    log.epoch(3, 0.93)
    log.write("contingency", **OUT_OF_MEMORY)
    log.epoch(2, 0.945)
    assert undelivered(log.folder)[-1].title == "New best: val_rmse 0.9450 at epoch 2"


def test_time_and_cost_are_those_of_the_runs_meter(log: Log) -> None:
    resources = {"price_usd_per_hour": 3.0, "cap_usd": 20.0}
    (log.folder / "config.json").write_text(json.dumps({"resources": resources}))
    log.start()
    log.write("stopped", reason="", run_seconds=1800.0)
    log.start("resumed", cap_usd=30.0)
    log.write("completed", run_seconds=3600.0)
    _, stopped, _, end = (fields(message) for message in undelivered(log.folder))
    assert (stopped["duration"], stopped["cost"]) == ("0:30:00", "$1.50 of $20.00, at $3.00 an hour")
    assert (end["duration"], end["cost"]) == ("1:00:00", "$3.00 of $30.00, at $3.00 an hour")


def test_a_resumption_after_a_crash_says_so(log: Log) -> None:
    log.start()
    log.write("stopped", reason="")
    log.start("resumed")
    log.start("resumed")
    assert [message.text for message in undelivered(log.folder)[2:]] == [
        "",
        "The previous process crashed.",
    ]


def test_a_repeated_epoch_has_one_message(log: Log) -> None:
    log.start()
    log.epoch(1)
    log.start("resumed")
    log.epoch(1)
    log.epoch(2)
    assert [message.kind for message in undelivered(log.folder)] == [
        *(Kind.START, Kind.BEST),
        *(Kind.START, Kind.BEST),
    ]


@pytest.mark.parametrize("kind", ["started", "epoch", "finding", "failed", "contingency"])
def test_an_event_of_another_version_has_a_message_without_details(kind: str, log: Log) -> None:
    log.write(kind, strange=1)
    assert undelivered(log.folder)[0].title == f"An event that cannot be read: {kind}"


def test_a_metric_that_is_not_a_number(log: Log) -> None:
    log.start()
    log.write("epoch", epoch=1, val_rmse=None, val_loss=None, improved=True)
    assert undelivered(log.folder)[1].title == "New best: val_rmse not a number at epoch 1"
