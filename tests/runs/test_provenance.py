import json
import os
import subprocess
from pathlib import Path

import pytest

import movielens_recsys
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs.provenance import code_version, provenance_of


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    package = tmp_path / "src" / "movielens_recsys"
    package.mkdir(parents=True)
    (package / "module.py").write_text("one = 1\n")
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    return package


def test_a_checkout_gives_its_commit_and_whether_it_was_changed(checkout: Path) -> None:
    clean = code_version(checkout)
    assert clean["version"] == movielens_recsys.__version__
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (checkout / "module.py").write_text("one = 2\n")
    assert code_version(checkout) == {**clean, "dirty": True}


def test_a_package_inside_another_checkout_does_not_take_its_commit(checkout: Path) -> None:
    installed = checkout.parent.parent / ".venv" / "site-packages" / "movielens_recsys"
    installed.mkdir(parents=True)
    assert code_version(installed)["commit"] is None


def test_the_device_is_the_present_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = tmp_path / "nvidia-smi"
    card.write_text("#!/bin/sh\necho 'NVIDIA RTX A6000, 49140'\n")
    card.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for choice, device in (("auto", "NVIDIA RTX A6000"), ("cuda", "NVIDIA RTX A6000"), ("cpu", "cpu")):
        config = config_from_template("quickstart", "a", {"training": {"device": choice}})
        assert provenance_of(config)["environment"]["device"] == device


def test_no_environment_variable_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "a-secret-that-must-not-leak")
    text = json.dumps(provenance_of(config_from_template("quickstart", "a", {"training": {"seed": 9}})))
    assert "a-secret-that-must-not-leak" not in text
    assert json.loads(text)["seeds"] == {"training": 9, "evaluation": 0, "split": 0}
