"""The copy in W&B, made by its real library against a server on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.example_runs import carry_on
from tests.tracking.conftest import KEY, Begin
from tests.tracking.wandb_server import Cloud

from movielens_recsys.errors import ConfigError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import states, store, writing
from movielens_recsys.settings import Settings
from movielens_recsys.tracking.processes import sync_now
from movielens_recsys.tracking.tracker import WANDB


def copy(run_id: str, settings: Settings) -> tuple[int, list[str]]:
    said: list[str] = []
    return sync_now(WANDB, [run_id], settings, said.append), said


def test_a_resumed_run_goes_on_in_the_same_copy_and_nothing_is_sent_twice(
    begin: Begin, online: Settings, cloud: Cloud
) -> None:
    run_id = begin()
    assert copy(run_id, online) == (0, [])
    assert cloud.asked == []
    carry_on(run_id, online, range(1, 4), "stopped", reason="told to stop")
    assert copy(run_id, online) == (1, [])
    copied = cloud.runs[run_id]
    assert (copied["preempting"], copied["project"], copied["program"]) == (True, "films", "recsys")
    asked = len(cloud.asked)
    assert copy(run_id, online) == (0, [])
    assert len(cloud.asked) == asked

    carry_on(run_id, online, range(3, 7), "completed")
    assert copy(run_id, online) == (1, [])
    assert list(cloud.runs) == [run_id]
    assert cloud.history(run_id, "val_rmse") == pytest.approx({e: 1 - e / 1000 for e in range(1, 7)})
    assert cloud.history(run_id, "val_loss").keys() == set(range(1, 7))
    assert copied["exit_code"] == 0
    assert copied["summary"]["recsys/state"] == "completed"
    assert copied["summary"]["recsys/reason"] == ""


def test_neither_key_nor_machine_nor_code_is_sent_or_kept(
    begin: Begin, online: Settings, cloud: Cloud
) -> None:
    run_id = begin()
    carry_on(run_id, online, range(1, 3), "completed")
    copy(run_id, online)
    sent = "\n".join(cloud.bodies)
    for secret in (KEY, str(Path.cwd()), str(Path.home()), sys.executable):
        assert secret not in sent
    assert not any("requirements" in path or "metadata" in path for path in cloud.asked)
    kept = [path for path in online.home.rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []
    assert list(online.wandb.glob("*run-*")) == []


def test_without_a_key_one_whole_copy_stays_here_until_there_is_one(
    begin: Begin, cloud: Cloud, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = begin()
    monkeypatch.delenv("WANDB_API_KEY")
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, cloud.url)
    carry_on(run_id, settings, range(1, 4), "stopped", reason="told to stop")
    count, said = copy(run_id, settings)
    assert (count, len(said)) == (1, 1)
    assert "WANDB_API_KEY is not set" in said[0]
    assert "recsys experiment sync" in said[0]
    carry_on(run_id, settings, range(4, 6), "completed")
    assert copy(run_id, settings)[0] == 1
    assert copy(run_id, settings)[0] == 0
    (folder,) = settings.wandb.glob("offline-run-*")
    assert (folder / f"run-{run_id}.wandb").read_bytes().count(b"val_rmse") >= 5
    assert cloud.asked == []

    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert copy(run_id, Settings(home=settings.home)) == (1, [])
    assert cloud.history(run_id, "val_rmse").keys() == set(range(1, 6))
    assert not folder.exists()


def test_a_run_that_starts_over_is_another_copy(begin: Begin, online: Settings, cloud: Cloud) -> None:
    run_id = begin()
    carry_on(run_id, online, range(1, 3))
    with writing.open_log(run_id, online) as writer:
        states.start_run(store.load_run(run_id, online), writer, {})
    carry_on(run_id, online, range(1, 2), "completed")
    copy(run_id, online)
    assert list(cloud.runs) == [f"{run_id}-2"]
    assert cloud.history(f"{run_id}-2", "val_rmse").keys() == {1}


@pytest.mark.parametrize(
    "tracking", [{"wandb_project": "a/b"}, {"wandb_project": ""}, {"wandb_entity": "a b"}]
)
def test_names_that_wandb_refuses_are_refused_at_creation(tracking: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        config_from_template("quickstart", "a", {"tracking": tracking})


def test_where_a_run_is_copied_is_no_part_of_what_decides_its_figures() -> None:
    plain, copied = (
        config_from_template("quickstart", "a"),
        config_from_template("quickstart", "a", {"tracking": {"wandb_project": "x"}}),
    )
    assert store.config_hash(plain) == store.config_hash(copied)
