import subprocess
import sys

import pytest

from movielens_recsys.errors import ExperimentError
from movielens_recsys.experiments import locks, registry
from movielens_recsys.experiments.modifications import resolve
from movielens_recsys.experiments.record import fold
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

HOLD = """
import sys, time
from pathlib import Path
from movielens_recsys.experiments import locks, registry
from movielens_recsys.settings import Settings

settings = Settings(home=Path(sys.argv[1]))
with locks.writing(sys.argv[2], settings) as writer:
    registry.start(registry.load(sys.argv[2], settings), writer, {})
    print("running", flush=True)
    time.sleep(600)
"""


def test_two_processes_cannot_run_one_experiment(settings: Settings) -> None:
    run = registry.create(resolve("user_item_bias", "contested"), settings)
    command = [sys.executable, "-c", HOLD, str(settings.home), run.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "running\n"
        with (
            pytest.raises(ExperimentError, match="run by another process"),
            locks.writing(run.id, settings),
        ):
            pass
        with pytest.raises(ExperimentError, match="run by another process"):
            registry.archive(run.id, settings)
        running = registry.load(run.id, settings)
        assert running.state is RunState.RUNNING
        assert not locks.has_lost_its_process(running, settings)
        holder.kill()
    assert locks.has_lost_its_process(registry.load(run.id, settings), settings)
    with locks.writing(run.id, settings) as writer:
        registry.start(fold(run.id, writer.events), writer, {})
    assert registry.load(run.id, settings).attempts == 2
