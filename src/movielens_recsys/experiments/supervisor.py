"""`Supervisor`: trains one experiment in a child process, and starts it again when it crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType

from movielens_recsys.data.sources.location import can_be_reached
from movielens_recsys.errors import CapReachedError
from movielens_recsys.experiments.supervision import LOG_NAME, disable_auto_resume
from movielens_recsys.runs.event_writer import open_log
from movielens_recsys.runs.runtime import seconds_of
from movielens_recsys.runs.store import load_config, load_run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

MAX_CRASHES = 3
"""How often in a row a crashed trainer is started again without a new epoch."""
STOP_TIMEOUT_S = 9.0
"""Time for a trainer to save and exit, within the ten seconds that a machine may grant."""
RETRY_S, MAX_RETRY_S = 30.0, 600.0
"""How long to wait for data that cannot be reached before looking again: at first, and at most."""
PATIENCE_S = 24 * 3600.0
"""How long to wait for them in all."""
_POLL_S = 0.2
_NOT_RESUMED = {CapReachedError.exit_code, 128 + signal.SIGINT}
"""Exit codes after which only a user resumes: the cap, and Ctrl-C."""


class Supervisor:
    """Trains one experiment until it is finished, stopped or given up; enter `supervising` before.

    A trainer that is killed by a signal is started again; and so is one whose data could not be reached, once
    they can be, if the supervisor is ``patient``. SIGTERM and SIGINT are passed on to it and end both;
    SIGHUP, which a closed terminal sends, ends neither.

    Parameters
    ----------
    trainer
        The command that trains, to which ``run ID`` or ``resume ID`` is added. Its standard error goes into
        the run's ``auto.log``, its standard output nowhere.
    options
        Further arguments, appended to that.
    on_wait
        Called several times a second while a trainer works, and after it.
    stop_s
        How long a trainer may take to stop, after a signal, before it is killed.
    patient
        Whether to wait for data that cannot be reached, such as those on a disk that is not mounted yet.
    retry_s
        How long to wait before looking for them again.
    """

    def __init__(
        self,
        run_id: str,
        settings: Settings,
        trainer: Sequence[str],
        options: Sequence[str] = (),
        on_wait: Callable[[], None] = lambda: None,
        stop_s: float = STOP_TIMEOUT_S,
        *,
        patient: bool = False,
        retry_s: float = RETRY_S,
    ) -> None:
        self._run_id, self._settings = run_id, settings
        self._command, self._options = trainer, options
        self._on_wait, self._stop_s = on_wait, stop_s
        self._patient, self._retry_s = patient, retry_s
        self._log = settings.runs / run_id / LOG_NAME
        self._trainer: subprocess.Popen[bytes] | None = None
        self._stop_signal: int | None = None
        self._deadline = float("inf")
        self._last_epoch = self._crashes = 0

    def run(self) -> int:
        """Return the last trainer's exit code, or 128 + the signal that ended it; 1 if they kept crashing."""
        with self._signals():
            self._last_epoch = self._epoch()
            code = self._train()
            while self._may_restart(-code) if code < 0 else self._has_waited(code):
                code = self._train()
            code = 1 if code < 0 else code
            self._log_line(f"it ended with exit code {code}")
            if code in _NOT_RESUMED:
                disable_auto_resume(self._run_id, self._settings)
            self._on_wait()
            return code

    def _train(self) -> int:
        """Start a trainer and return its exit code, or minus the signal that killed it."""
        run = load_run(self._run_id, self._settings)
        if run.state is RunState.COMPLETED:  # the one before crashed after its work
            return 0
        if self._stop_signal is not None:
            return 128 + self._stop_signal
        if run.state.finished and not run.resumable:
            return 1
        command = "run" if run.state is RunState.PLANNED else "resume"
        with self._log.open("ab") as log:
            self._trainer = subprocess.Popen(
                [*self._command, command, self._run_id, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self._log_line(f"process {self._trainer.pid} trains")
        if self._stop_signal is not None:  # the signal came while it was being started
            self._trainer.send_signal(self._stop_signal)
        code = self._wait(self._trainer)
        if code < 0:
            with suppress(ProcessLookupError):  # its child processes may outlive it, with memory and locks
                os.killpg(self._trainer.pid, signal.SIGKILL)
            if load_run(self._run_id, self._settings).state is RunState.COMPLETED:
                return 0
        # A trainer that has just been started has no handlers yet, and dies of a signal to stop.
        stopped = code in {-signal.SIGINT, -signal.SIGTERM}
        if code < 0 and (stopped or self._stop_signal is not None):
            return 128 + (self._stop_signal or -code)
        return code

    def _wait(self, trainer: subprocess.Popen[bytes]) -> int:
        while True:
            with suppress(subprocess.TimeoutExpired):
                code = trainer.wait(_POLL_S)
                self._on_wait()
                return code
            self._on_wait()
            if time.monotonic() > self._deadline:
                trainer.kill()

    def _epoch(self) -> int:
        history = load_run(self._run_id, self._settings).history
        return int(history[-1]["epoch"]) if history else 0

    def _may_restart(self, number: int) -> bool:
        """Count a crash by signal ``number``; return whether to start a trainer again."""
        cause = next((known.name for known in signal.Signals if known == number), f"signal {number}")
        epoch = self._epoch()
        if epoch > self._last_epoch:
            self._last_epoch, self._crashes = epoch, 0
        self._crashes += 1
        if self._crashes > MAX_CRASHES:
            self._give_up(cause)
            return False
        self._log_line(f"it died of {cause} after epoch {epoch}; going on, {self._crashes} of {MAX_CRASHES}")
        return True

    def _has_waited(self, code: int) -> bool:
        """Wait where a trainer was refused for a reason that may pass; return whether to start another."""
        run = load_run(self._run_id, self._settings)
        passing = run.refused is not None and run.refused.passing
        if not (self._patient and code and passing) or self._stop_signal is not None:
            return False
        data = load_config(self._run_id, self._settings).data
        self._log_line(f"waiting: {run.why}")
        ends = time.monotonic() + PATIENCE_S
        self._sleep(self._retry_s)
        while self._stop_signal is None and not can_be_reached(data, self._settings):
            if time.monotonic() > ends:
                return False
            self._sleep(self._retry_s)
        self._retry_s = min(2 * self._retry_s, MAX_RETRY_S)
        return True

    def _sleep(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and self._stop_signal is None:
            self._on_wait()
            time.sleep(min(_POLL_S, seconds))

    def _give_up(self, cause: str) -> None:
        """Record the run as stopped, with the reason, and disable automatic resumption."""
        reason = f"its process died {self._crashes} times without a new epoch, at last of {cause}"
        with open_log(self._run_id, self._settings) as writer:
            run = writer.run
            if run.state is RunState.RUNNING:
                seconds = seconds_of(run, self._log.parent)
                writer.append("stopped", {"reason": reason, "run_seconds": seconds})
        disable_auto_resume(self._run_id, self._settings)
        self._log_line(f"given up: {reason}; `recsys auto {self._run_id}` tries again")

    def _log_line(self, text: str) -> None:
        with suppress(OSError), self._log.open("a") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  auto: {text}\n")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if self._stop_signal is None:
            self._stop_signal, self._deadline = number, time.monotonic() + self._stop_s
            if self._trainer is not None:
                self._trainer.send_signal(number)
