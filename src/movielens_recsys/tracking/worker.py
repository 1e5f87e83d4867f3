"""The process that syncs runs to one tracker: `python -m ...tracking.worker TRACKER DELAY_S HOME ID...`.

After the delay it syncs new events every few seconds until its standard input ends, which also happens when
the training process is killed; then it syncs the rest and exits. A tracker that is slow, hangs or crashes
therefore never blocks the training, and its library has no access to the training's console or signals.

It reports on standard output, one JSON object a line: ``{"warning": ...}`` at most once, for a failure, and
at the end ``{"notice": ...}`` and ``{"synced": ...}``, the number of runs that had something new.
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
from movielens_recsys.tracking.opening import open_tracker
from movielens_recsys.tracking.tracker import Tracker

SYNC_INTERVAL_S = 10.0
RETRY_INTERVAL_S = 60.0
_NICENESS = 10

Announce = Callable[[str, object], None]


def main(arguments: Sequence[str]) -> int:
    """Sync runs to a tracker until standard input ends; return 1 if they are not fully synced then."""
    name, delay_s, home, *run_ids = arguments
    # These signals are meant for the training; this process ends after it, when its input is closed.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    announce = _announcer()
    ended = threading.Event()
    threading.Thread(target=_await_end, args=(ended,), daemon=True).start()
    complete = sync_until_ended(name, run_ids, Settings(home=Path(home)), float(delay_s), ended, announce)
    return 0 if complete else 1


def sync_until_ended(
    name: str,
    run_ids: Sequence[str],
    settings: Settings,
    delay_s: float,
    ended: threading.Event,
    announce: Announce,
) -> bool:
    """Sync runs at intervals, and a last time once ``ended`` is set; return whether everything arrived.

    A failed sync is retried as long as the run goes on.
    """
    tracker: Tracker | None = None
    synced: set[str] = set()
    warned, pause_s = False, 0.0
    if not ended.wait(delay_s):
        os.nice(_NICENESS)  # the training has priority; after its end, a user waits for this process
    while True:
        last = ended.wait(pause_s)  # read before the sync, so that the last sync sees the complete log
        try:
            if tracker is None:
                tracker = open_tracker(name, settings)
            synced.update([run_id for run_id in run_ids if tracker.sync(run_id)])
            if last:
                tracker.close()
                if synced and tracker.notice:
                    announce("notice", tracker.notice)
                announce("synced", len(synced))
                return True
            pause_s = SYNC_INTERVAL_S
        except RecsysError as exc:
            if not warned:
                announce("warning", str(exc))
            warned, pause_s = True, RETRY_INTERVAL_S
            if last:  # a failure before the end leaves the last sync to be tried
                return False


def _announcer() -> Announce:
    """Return a function that writes to the original standard output, which libraries can no longer reach."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return lambda key, value: print(json.dumps({key: value}), file=channel)


def _await_end(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
