"""The process that feeds one sink: `python -m ...sinks.follow SINK DELAY_S HOME ID...`.

After the delay it copies what is new every few seconds until its standard input ends, which also happens
when the process that trains is killed; then it copies the rest and ends too. A sink that is slow, hangs or
crashes thus holds up nobody, and its library touches neither the console nor the signals of the training.

It says on standard output, one JSON value a line, what there is to say: ``{"warning": ...}`` at most once for
what failed, and at the end ``{"notice": ...}`` and ``{"copied": ...}``, how many runs had something new.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from movielens_recsys.errors import RecsysError
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.tracker import Tracker, open_tracker

SECONDS_BETWEEN_COPIES = 10.0
SECONDS_AFTER_A_FAILURE = 60.0
_NICENESS = 10

Say = Callable[[str, object], None]


def main(arguments: Sequence[str]) -> int:
    """Feed a sink until standard input ends; return 1 if its copies are not complete then."""
    name, delay_s, home, *run_ids = arguments
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # meant for the training, whose end is awaited
        signal.signal(number, signal.SIG_IGN)
    say = _speaker()
    ended = threading.Event()
    threading.Thread(target=_await_end, args=(ended,), daemon=True).start()
    complete = follow(name, run_ids, Settings(home=Path(home)), float(delay_s), ended, say)
    return 0 if complete else 1


def follow(
    name: str,
    run_ids: Sequence[str],
    settings: Settings,
    delay_s: float,
    ended: threading.Event,
    say: Say,
) -> bool:
    """Copy runs again and again, and a last time once ``ended`` is set; return whether all of it arrived.

    A copy that fails is tried again as long as the run goes on.
    """
    sink: Tracker | None = None
    copied: set[str] = set()
    told, pause_s = False, 0.0
    if not ended.wait(delay_s):
        os.nice(_NICENESS)  # the training goes first; once it has ended, somebody waits for us
    while True:
        last = ended.wait(pause_s)  # asked first: what was logged before is copied in this turn
        try:
            if sink is None:
                sink = open_tracker(name, settings)
            copied.update([run_id for run_id in run_ids if sink.sync(run_id)])
            if last:
                sink.close()
                if copied and sink.notice:
                    say("notice", sink.notice)
                say("copied", len(copied))
                return True
            pause_s = SECONDS_BETWEEN_COPIES
        except RecsysError as exc:
            if not told:
                say("warning", str(exc))
            told, pause_s = True, SECONDS_AFTER_A_FAILURE
            if ended.is_set():
                return False


def _speaker() -> Say:
    """Return what writes to the standard output that we were given; whatever prints there finds it closed."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return lambda key, value: print(json.dumps({key: value}), file=channel)


def _await_end(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
