"""The outbox file: durable, locked by one process, and read as far as it is intact."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from tests.notify.conftest import Log

from movielens_recsys.errors import NotificationError
from movielens_recsys.notify.outbox import Outbox, undelivered


def test_delivered_messages_stay_delivered(log: Log) -> None:
    log.start()
    log.epoch(1)
    with Outbox(log.folder) as outbox:
        first, second = outbox.pending()
        outbox.delivered(first)
        assert outbox.pending() == [second]
    with Outbox(log.folder) as outbox:
        assert outbox.pending() == [second]
        log.epoch(2)
        assert [message.sequence for message in outbox.pending()] == [2, 3]
        outbox.delivered(outbox.pending()[-1])
        assert outbox.pending() == []
    assert undelivered(log.folder) == []


def test_one_process_at_a_time_delivers(log: Log) -> None:
    log.start()
    with Outbox(log.folder), pytest.raises(NotificationError, match="another process"):
        Outbox(log.folder)
    Outbox(log.folder).close()


@pytest.mark.parametrize("torn", ['{"seq', '{"sequence":3', "\0\0\0"])
def test_a_torn_record_is_ignored(torn: str, log: Log) -> None:
    log.start()
    log.epoch(1)
    log.epoch(2)
    with Outbox(log.folder) as outbox:
        outbox.delivered(outbox.pending()[0])
    with (log.folder / "outbox.jsonl").open("a") as file:
        file.write(torn)
    with Outbox(log.folder) as outbox:
        outbox.delivered(outbox.pending()[0])
        assert [message.sequence for message in outbox.pending()] == [3]
    assert [message.sequence for message in undelivered(log.folder)] == [3]


@pytest.mark.parametrize("content", ["rubbish\n", "[1]\n", '{"other": 1}\n', "1\n"])
def test_an_unreadable_record_delivers_everything_again(content: str, log: Log) -> None:
    log.start()
    (log.folder / "outbox.jsonl").write_text(content)
    with Outbox(log.folder) as outbox:
        assert len(outbox.pending()) == 1


def test_a_half_written_event_is_read_once_complete(log: Log) -> None:
    log.start()
    line = (log.folder / "events.jsonl").read_bytes()
    (log.folder / "events.jsonl").write_bytes(line[:30])
    with Outbox(log.folder) as outbox:
        assert outbox.pending() == []
        (log.folder / "events.jsonl").write_bytes(line)
        assert len(outbox.pending()) == 1


def test_an_event_removed_after_a_full_disk_is_replaced_by_its_successor(log: Log) -> None:
    log.start()
    with Outbox(log.folder) as outbox:
        before = (log.folder / "events.jsonl").read_bytes()
        log.epoch(1)
        outbox.delivered(outbox.pending()[-1])
        (log.folder / "events.jsonl").write_bytes(before)
        outbox.pending()
        event = b'{"sequence":2,"time":"2026-11-24T00:00:00+00:00","kind":"failed","data":{"reason":""}}\n'
        (log.folder / "events.jsonl").write_bytes(before + event)
        assert [message.title for message in outbox.pending()] == ["Failed"]


@pytest.mark.parametrize(
    "line", ["rubbish", "[]", '{"sequence": 7, "time": "", "kind": ""}', '{"sequence": 2}']
)
def test_a_damaged_log_is_named(line: str, log: Log) -> None:
    log.start()
    with (log.folder / "events.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with Outbox(log.folder) as outbox, pytest.raises(NotificationError, match="damaged after event 1"):
        outbox.pending()


def test_a_missing_log_is_named(log: Log) -> None:
    with pytest.raises(NotificationError, match=r"cannot read .*events\.jsonl"):
        undelivered(log.folder)


@pytest.mark.parametrize("config", [None, "rubbish", "[]"])
def test_without_a_configuration_messages_have_fewer_details(config: str | None, log: Log) -> None:
    (log.folder / "config.json").unlink()
    if config:
        (log.folder / "config.json").write_text(config)
    log.start()
    log.epoch(1)
    assert next(message.title for message in undelivered(log.folder)) == "Started"


def test_a_full_disk_raises_and_the_file_stays_unchanged(log: Log) -> None:
    log.start()
    log.epoch(1)
    with Outbox(log.folder) as outbox:
        outbox.delivered(outbox.pending()[0])
    size = (log.folder / "outbox.jsonl").stat().st_size
    script = """
        import resource, signal, sys
        from pathlib import Path
        from movielens_recsys.errors import StorageError
        from movielens_recsys.notify.outbox import Outbox
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
        with Outbox(Path(sys.argv[1])) as outbox:
            try:
                outbox.delivered(outbox.pending()[0])
            except StorageError as exc:
                print(exc)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(log.folder), str(size + 5)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot write" in done.stdout
    assert (log.folder / "outbox.jsonl").stat().st_size == size
    assert len(undelivered(log.folder)) == 1
