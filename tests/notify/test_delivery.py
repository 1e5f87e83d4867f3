"""Delivery from the log to the server: in order, at least once, and without delaying the run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
from pydantic import SecretStr
from tests.notify.conftest import Log, Time
from tests.notify.discord_server import URL, Discord, Handler, failing, limited, silent

from movielens_recsys.errors import ChannelClosedError, NotificationError, TrainingStopped
from movielens_recsys.notify.delivery import LiveDelivery, deliver
from movielens_recsys.notify.discord import DiscordChannel
from movielens_recsys.notify.outbox import Outbox, undelivered

UNKNOWN = {"message": "Unknown Webhook", "code": 10015}


def until(condition: Callable[[], object]) -> None:
    """Wait for another thread."""
    ends = monotonic() + 20
    while not condition():
        assert monotonic() < ends, "not within 20 s"
        sleep(0.01)


def live(log: Log, warnings: list[str], patience_s: float = 60.0) -> LiveDelivery:
    """Deliver on the real clock to the server at Discord's address."""
    return LiveDelivery(
        log.folder,
        lambda wait: DiscordChannel(SecretStr(URL), patience_s=patience_s, wait=wait),
        warnings.append,
    )


def train(log: Log, epochs: int = 3) -> None:
    log.start()
    for epoch in range(1, epochs + 1):
        log.epoch(epoch, 0.95 - epoch / 100)


def finish(log: Log) -> None:
    log.write("completed")


def test_an_old_run_is_delivered_once_and_in_order(
    log: Log, channel: DiscordChannel, discord: Discord
) -> None:
    for attempt in range(20):
        log.start("resumed" if attempt else "started")
        log.write("stopped", reason="")
    assert deliver(log.folder, channel) == 40
    assert discord.titles() == ["Started", "Stopped and saved", *["Resumed", "Stopped and saved"] * 19]
    assert deliver(log.folder, channel) == 0
    assert len(discord.requests) == 4


def test_undelivered_messages_are_delivered_later_in_order(
    log: Log, channel: DiscordChannel, discord: Discord, time: Time
) -> None:
    for _ in range(6):
        log.start()
        log.write("stopped", reason="")
    discord.acts = [Handler.accept]
    discord.always = failing(500)
    with pytest.raises(NotificationError, match="busy"):
        deliver(log.folder, channel)
    assert len(undelivered(log.folder)) == 2
    discord.always = None
    assert deliver(log.folder, channel) == 2
    assert discord.titles() == ["Started", "Stopped and saved"] * 6


def test_a_new_webhook_receives_what_a_deleted_one_did_not(
    log: Log, channel: DiscordChannel, discord: Discord
) -> None:
    train(log)
    discord.acts = [failing(404, UNKNOWN)]
    with pytest.raises(ChannelClosedError):
        deliver(log.folder, channel)
    assert deliver(log.folder, channel) == 2
    assert discord.titles() == ["Started", "New best: val_rmse 0.9200 at epoch 3"]


DELIVER = """
    import sys
    from pathlib import Path
    from pydantic import SecretStr
    from movielens_recsys.notify.delivery import deliver
    from movielens_recsys.notify.discord import DiscordChannel
    deliver(Path(sys.argv[1]), DiscordChannel(SecretStr(sys.stdin.read())))
"""


@pytest.mark.parametrize("accepted_before", [0, 1, 2])
def test_a_kill_between_sending_and_recording_repeats_and_loses_nothing(
    accepted_before: int, log: Log, channel: DiscordChannel, discord: Discord
) -> None:
    for _ in range(15):
        log.start()
        log.write("stopped", reason="")
    program = "\n".join(line.strip() for line in DELIVER.splitlines())
    with subprocess.Popen([sys.executable, "-c", program, str(log.folder)], stdin=subprocess.PIPE) as process:

        def accept_and_kill(handler: Handler) -> None:
            handler.state.accepted.append(handler.body)
            process.kill()
            process.wait()

        discord.acts = [Handler.accept] * accepted_before + [accept_and_kill]
        assert process.stdin is not None
        process.stdin.write(URL.encode())
        process.stdin.close()
        assert process.wait(timeout=60) == -signal.SIGKILL
    deliver(log.folder, channel)
    footers = [embed["footer"]["text"] for body in discord.accepted for embed in body["embeds"]]
    numbers = [int(text.rpartition(" ")[2]) for text in footers]
    cut = 10 * (accepted_before + 1)
    assert numbers == [*range(1, cut + 1), *range(10 * accepted_before + 1, 31)]


def test_messages_are_sent_while_the_run_goes_on(log: Log, discord: Discord) -> None:
    warnings: list[str] = []
    log.start()
    with live(log, warnings):
        until(discord.titles)
        log.write("stopped", reason="stopped by a signal")
        until(lambda: len(discord.titles()) == 2)
        log.start("resumed")
        finish(log)
    assert discord.titles() == ["Started", "Stopped and saved", "Resumed", "Completed"]
    assert warnings == []
    assert undelivered(log.folder) == []


def test_new_bests_alone_are_collapsed(log: Log, discord: Discord) -> None:
    log.start()
    with live(log, []):
        until(discord.titles)
        for epoch in range(1, 11):
            log.epoch(epoch, 0.95 - epoch / 100)
            sleep(0.1)
        assert discord.titles() == ["Started"]
        log.write("finding", name="loss_gap", value=1.0, threshold=0.15, severity="warning", advice="rest")
        until(lambda: len(discord.titles()) == 3)
    assert discord.titles()[1:] == [
        "New best: val_rmse 0.8500 at epoch 10",
        "Warning: loss_gap 1 against 0.15",
    ]


def test_a_hanging_request_does_not_delay_the_run(log: Log, discord: Discord) -> None:
    held, release = threading.Event(), threading.Event()

    def hold(handler: Handler) -> None:
        held.set()
        release.wait()
        handler.take()

    discord.acts = [hold]
    log.start()
    with live(log, []):
        assert held.wait(20)
        train(log, epochs=50)
        finish(log)
        assert discord.accepted == []
        release.set()
    assert discord.titles() == ["Started", "Started", "New best: val_rmse 0.4500 at epoch 50", "Completed"]


def test_a_failing_server_causes_one_warning_and_another_at_the_end(log: Log, discord: Discord) -> None:
    warnings: list[str] = []
    discord.always = failing(503, {"message": "down"})
    log.start()
    with live(log, warnings, patience_s=0.0):
        until(lambda: warnings)
        n_requests = len(discord.requests)
        train(log, epochs=20)
        finish(log)
    assert warnings == [
        "messages wait in the outbox: Discord is busy (503: down)",
        f"not every message was delivered; later: recsys notify deliver {log.folder.name}",
    ]
    assert len(discord.requests) == n_requests + 1
    discord.always = None
    assert deliver(log.folder, DiscordChannel(SecretStr(URL))) == 4


def test_a_deleted_webhook_gets_one_request_and_the_run_goes_on(log: Log, discord: Discord) -> None:
    warnings: list[str] = []
    discord.always = failing(401, UNKNOWN)
    log.start()
    with live(log, warnings):
        until(lambda: warnings)
        finish(log)
    assert len(discord.requests) == 1
    assert warnings[0].startswith("no more notifications: the webhook is gone (401: Unknown Webhook)")
    assert warnings[1].startswith("not every message was delivered")


@pytest.mark.parametrize("end", [TrainingStopped("stopped by a signal"), KeyboardInterrupt()], ids=repr)
def test_a_stopped_run_does_not_wait_for_a_silent_server(
    end: BaseException, log: Log, discord: Discord
) -> None:
    warnings: list[str] = []
    answered = threading.Event()

    def hang(handler: Handler) -> None:
        silent(handler)
        answered.set()

    discord.always = hang
    log.start()
    with suppress(type(end)), live(log, warnings):
        until(lambda: discord.requests)
        raise end
    assert not answered.is_set()
    assert "notifications" in {thread.name for thread in threading.enumerate()}
    assert warnings == [f"not every message was delivered; later: recsys notify deliver {log.folder.name}"]


def test_a_short_rate_limit_at_the_end_is_waited_for(log: Log, discord: Discord) -> None:
    warnings: list[str] = []
    log.start()
    with live(log, warnings):
        until(discord.titles)
        discord.acts = [limited(1)]
        finish(log)
    assert discord.titles() == ["Started", "Completed"]
    assert warnings == []


def test_a_second_process_does_not_deliver(log: Log, discord: Discord) -> None:
    warnings: list[str] = []
    log.start()
    with Outbox(log.folder), live(log, warnings):
        until(lambda: warnings)
    assert warnings[0].startswith("messages wait in the outbox: another process delivers")
    assert discord.requests == []


def test_a_damaged_log_is_reported(log: Log, discord: Discord) -> None:
    warnings: list[str] = []
    log.start()
    path: Path = log.folder / "events.jsonl"
    with live(log, warnings):
        until(discord.titles)
        path.write_text(path.read_text() + json.dumps([]) + "\n")
        until(lambda: warnings)
    assert "damaged after event 1" in warnings[0]
