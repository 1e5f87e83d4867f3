"""Settings come from the environment, and secrets stay out of sight."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from movielens_recsys.errors import UsageError
from movielens_recsys.settings import Settings, first_visible_gpu, load_settings

URL = "https://discord.com/api/webhooks/1/secret"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*os.environ,):
        if name.startswith(("RECSYS_", "DISCORD_", "WANDB_")):
            monkeypatch.delenv(name)


def test_the_environment_is_read_at_each_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert load_settings().home == Path(".recsys")
    monkeypatch.setenv("RECSYS_HOME", str(tmp_path))
    assert load_settings().home == tmp_path
    assert load_settings().runs == tmp_path / "runs"


def test_folders_are_kept_as_absolute_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("RECSYS_HOME", "~/runs")
    monkeypatch.setenv("RECSYS_DATA", "sets")
    monkeypatch.setenv("RECSYS_DATA_PATH", "shelf")
    settings = load_settings()
    assert (settings.home, settings.data) == (Path("/home/ann/runs"), tmp_path / "sets")
    assert settings.data_folders == (tmp_path / "shelf",)


def test_an_empty_variable_is_like_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch):
    default = load_settings()
    for name in ("RECSYS_HOME", "RECSYS_DATA", "RECSYS_DATA_PATH", "DISCORD_WEBHOOK_FILE", "WANDB_MODE"):
        monkeypatch.setenv(name, "")
    assert load_settings() == default


def test_folders_of_the_path_keep_their_order_and_skip_empty_parts():
    path = os.pathsep.join(["/first", "", "/second"])
    assert Settings(data_path=path).data_folders == (Path("/first"), Path("/second"))


def test_the_webhook_comes_from_the_environment_or_else_from_a_file(tmp_path: Path):
    file = tmp_path / "webhook"
    file.write_text(f"{URL}\n")
    assert Settings().webhook() is None
    secret = Settings(discord_webhook_file=file).webhook()
    assert secret is not None
    assert secret.get_secret_value() == URL
    assert "secret" not in repr(Settings(discord_webhook_url=URL))


@pytest.mark.parametrize(
    ("content", "words"), [(b" \n", "is empty"), (b"\xff\xfe\xff", "not text"), (None, "No such file")]
)
def test_a_webhook_file_without_an_address_is_refused(tmp_path: Path, content: bytes | None, words: str):
    file = tmp_path / "webhook"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        Settings(discord_webhook_file=file).webhook()


@pytest.mark.parametrize(
    ("key", "mode", "online"),
    [("", "", False), ("key", "", True), ("key", "offline", False), ("", "run", False)],
)
def test_wandb_is_online_only_with_a_key_and_a_mode_that_allows_it(key: str, mode: str, online: bool):
    copies = Settings(wandb_api_key=key, wandb_mode=mode).wandb_copies()
    assert copies == ("online" if online else "offline")


@pytest.mark.parametrize(
    ("mode", "disabled", "copies"),
    [
        ("disabled", "", "off"),
        (" Disabled ", "", "off"),
        ("dryrun", "", "offline"),
        ("online", "true", "off"),
        ("offline", "1", "off"),
        ("", "YES", "off"),
        ("", "false", "online"),
        ("", "0", "online"),
        ("", "off", "online"),
    ],
)
def test_wandbs_own_words_switch_it_off(mode: str, disabled: str, copies: str):
    settings = Settings(wandb_api_key="key", wandb_mode=mode, wandb_disabled=disabled)
    assert settings.wandb_copies() == copies


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"wandb_mode": "ofline"}, "WANDB_MODE is 'ofline'; expected online, offline or disabled"),
        ({"wandb_mode": "shared"}, "WANDB_MODE is 'shared'"),
        ({"wandb_disabled": "maybe"}, "WANDB_DISABLED is 'maybe'; expected true or false"),
    ],
)
def test_an_unknown_word_is_refused_by_name(values: dict[str, str], words: str):
    with pytest.raises(UsageError, match=words):
        Settings(**values).wandb_copies()


@pytest.mark.parametrize(
    ("value", "gpu"),
    [(None, None), ("", ""), ("-1", ""), ("NoDevFiles", ""), ("2,0", "2"), (" GPU-8932 ", "GPU-8932")],
)
def test_the_visible_gpu_is_the_one_that_cuda_puts_first(
    value: str | None, gpu: str | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if value is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert first_visible_gpu() == gpu
