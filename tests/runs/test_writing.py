import subprocess
import sys

import pytest

from movielens_recsys.errors import ExperimentError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store, writing
from movielens_recsys.runs.run import replay
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings

HOLD = """
import sys, time
from pathlib import Path
from movielens_recsys.runs import writing
from movielens_recsys.runs import store
from movielens_recsys.settings import Settings

settings = Settings(home=Path(sys.argv[1]))
with writing.open_log(sys.argv[2], settings) as writer:
    store.start_run(store.load_run(sys.argv[2], settings), writer, {})
    print("running", flush=True)
    time.sleep(600)
"""


def test_two_processes_cannot_run_one_experiment(settings: Settings) -> None:
    run = store.create_run(config_from_template("user_item_bias", "contested"), settings)
    command = [sys.executable, "-c", HOLD, str(settings.home), run.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "running\n"
        with (
            pytest.raises(ExperimentError, match="run by another process"),
            writing.open_log(run.id, settings),
        ):
            pass
        with pytest.raises(ExperimentError, match="run by another process"):
            store.archive_run(run.id, settings)
        running = store.load_run(run.id, settings)
        assert running.state is RunState.RUNNING
        assert not writing.is_orphaned(running, settings)
        holder.kill()
    assert writing.is_orphaned(store.load_run(run.id, settings), settings)
    with writing.open_log(run.id, settings) as writer:
        store.start_run(replay(run.id, writer.events), writer, {})
    assert store.load_run(run.id, settings).attempts == 2
