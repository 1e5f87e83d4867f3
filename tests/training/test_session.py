from pathlib import Path

from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.history import TrainingCallback
from movielens_recsys.training.session import TrainingSession


def test_a_worker_s_session_keeps_all_that_decides_the_training_and_reports_nothing() -> None:
    session = TrainingSession(
        callbacks=[TrainingCallback()],
        checkpoint_folder=Path("checkpoints"),
        devices=2,
        resume=True,
        stop=lambda: True,
        ensure_owner=lambda: None,
        adjusted=TrainingConfig(kl_weight=0.005),
    )
    worker = session.for_worker()
    assert (worker.checkpoint_folder, worker.devices, worker.resume, worker.adjusted) == (
        session.checkpoint_folder,
        2,
        True,
        session.adjusted,
    )
    assert (worker.callbacks, worker.stop()) == ((), False)
