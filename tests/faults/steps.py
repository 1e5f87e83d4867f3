"""Kill a piece of work with -9 at each of its steps.

A step is a line of this project's code, or an event of Python's audit hooks in between: each file that is
opened, renamed or removed.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import movielens_recsys

OWN_CODE = str(Path(movielens_recsys.__file__).parent)


def killed_at_steps(work: Callable[[], object], at_most: int) -> Iterator[int]:
    """Kill a fork of this process that does ``work``, at each step or at ``at_most`` evenly spread ones.

    Yields the number of the step after each kill. Call it in a process without threads.
    """
    killed, total = _fork(work, None)
    assert not killed
    for step in spread(total, at_most):
        killed, _ = _fork(work, step)
        assert killed, f"the work ended before its step {step} of {total}"
        yield step


def spread(total: int, at_most: int) -> list[int]:
    """Return all of 1 to ``total``, or ``at_most`` of them, evenly spread.

    >>> spread(3, 5), spread(10, 4)
    ([1, 2, 3], [1, 4, 7, 10])
    """
    if at_most >= total:
        return list(range(1, total + 1))
    if at_most == 1:
        return [total]
    return [1 + place * (total - 1) // (at_most - 1) for place in range(at_most)]


def _fork(work: Callable[[], object], last_step: int | None) -> tuple[bool, int]:
    """Return whether the fork was killed at its last step, and how many it made."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        steps = _Steps(last_step)
        try:
            sys.addaudithook(steps.audit)
            sys.settrace(steps.trace)
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.settrace(None)
        os.write(writer, str(steps.made).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        made = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in {0, -signal.SIGKILL}, f"the work failed by itself at step {last_step}"
    return code != 0, int(made or 0)


class _Steps:
    """Counts the steps of a process, and kills it at step ``last``."""

    def __init__(self, last: int | None) -> None:
        self.made = 0
        self._last = last

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(OWN_CODE):
            return None
        if event == "line":
            self._step()
        return self.trace

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" or event.startswith(("os.", "shutil.", "fcntl.", "sqlite3.")):
            self._step()

    def _step(self) -> None:
        self.made += 1
        if self.made == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
