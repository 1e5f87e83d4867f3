import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.data.config import DataConfig
from movielens_recsys.errors import ExperimentError, StorageError, UnknownNameError, UsageError
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs import store, transitions
from movielens_recsys.runs.run import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


@pytest.fixture
def create(settings: Settings) -> Callable[[str], Run]:
    return lambda name: store.create_run(config_from_template("user_item_bias", name), settings)


def python(program: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *words], stdout=subprocess.PIPE, text=True
    )


def test_an_experiment_is_created_whole(create: Callable[[str], Run], settings: Settings) -> None:
    run = create("first")
    assert re.fullmatch(r"first_\d{8}_\d{6}", run.id)
    assert (run.state, run.template, run.tags) == (RunState.PLANNED, "user_item_bias", ("reference",))
    assert store.load_run(run.id, settings) == run
    assert store.load_config(run.id, settings) == config_from_template("user_item_bias", "first")
    assert sorted(path.name for path in store.run_folder(run.id, settings).iterdir()) == [
        "config.json",
        "events.jsonl",
    ]


@pytest.mark.parametrize("name", ["", "a/b", "../x", "x" * 300, ".hidden", "-x", "a b", "ü", "a\n", "a\0b"])
def test_a_name_that_cannot_be_a_folder_is_refused(
    name: str, create: Callable[[str], Run], settings: Settings
) -> None:
    with pytest.raises(UsageError) as caught:
        store.check_name(name)
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)
    assert not settings.runs.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * 81, "has 81 characters; expected at most 80"),
        ("-x", "starts with '-'; expected a letter"),
        (".x", "starts with '.'"),
        ("a b", "'a b' cannot be the name of an experiment; expected 1 to 80"),
        ("", "'' cannot be the name"),
    ],
)
def test_a_bad_name_is_told_what_is_wrong_with_it(name: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        store.check_name(name)
    assert words in str(caught.value)


def test_the_longest_name_can_be_a_folder(create: Callable[[str], Run]) -> None:
    assert create("x" * 80).name == "x" * 80


def test_a_home_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot create the experiment"):
        store.create_run(config_from_template("popularity", "a"), Settings(home=tmp_path / "file"))


def test_a_full_disk_leaves_no_experiment_behind(settings: Settings) -> None:
    program = """
        import resource, signal, sys
        from pathlib import Path
        from movielens_recsys.errors import StorageError
        from movielens_recsys.runs import store, transitions
        from movielens_recsys.experiments.overrides import config_from_template
        from movielens_recsys.settings import Settings

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        config = config_from_template("popularity", "a")
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        try:
            store.create_run(config, Settings(home=Path(sys.argv[1])))
        except StorageError as error:
            print(error)
    """
    answer = python(program, str(settings.home)).communicate()[0]
    assert "cannot create the experiment" in answer
    assert list(settings.runs.iterdir()) == []


def test_an_id_is_found_by_itself_or_by_its_only_beginning(
    create: Callable[[str], Run], settings: Settings
) -> None:
    apple, apricot = create("apple"), create("apricot")
    assert store.find_run(apple.id, settings) == apple.id
    assert store.find_run("apr", settings) == apricot.id
    with pytest.raises(UsageError, match="2 experiments begin with 'ap'"):
        store.find_run("ap", settings)
    with pytest.raises(UnknownNameError, match=f"did you mean '{apple.id}'"):
        store.find_run("aple" + apple.id[5:], settings)
    for wrong in ("", "../apple", "x" * 300, "."):
        with pytest.raises(UnknownNameError):
            store.find_run(wrong, settings)


def test_a_name_is_its_newest_experiment_that_is_not_archived(
    create: Callable[[str], Run], settings: Settings
) -> None:
    *older, newest = (create("wide").id for _ in range(11))
    create("wider"), create("wide_1")
    assert store.matching_runs("wide", settings) == [*older, newest]
    for word in ("wide", "wide_TIMESTAMP"):
        assert store.find_run(word, settings) == newest
        with pytest.raises(UsageError, match="11 experiments begin with"):
            store.find_run(word, settings, unique=True)
    transitions.archive_run(newest, settings)
    assert store.find_run("wide", settings) == older[-1]
    assert store.find_run(newest, settings, unique=True) == newest
    assert store.find_run("wider", settings, unique=True).startswith("wider_")
    with pytest.raises(UnknownNameError, match="'wid_TIMESTAMP'"):
        store.find_run("wid_TIMESTAMP", settings)


def test_one_damaged_experiment_does_not_hide_the_others(
    create: Callable[[str], Run], settings: Settings
) -> None:
    good, bad = create("good"), create("bad")
    (store.run_folder(bad.id, settings) / "events.jsonl").write_text("{}\n")
    runs, errors = store.load_runs(settings)
    assert [run.id for run in runs] == [good.id]
    assert "line 1 is not an event" in str(errors[0])


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"name": 1}'])
def test_a_damaged_configuration_is_an_error(
    content: str, create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("a")
    (store.run_folder(run.id, settings) / "config.json").write_text(content)
    with pytest.raises(ExperimentError, match=r"cannot use .*config\.json"):
        store.load_config(run.id, settings)


def test_the_configuration_hash_covers_all_that_decides_the_metrics() -> None:
    plain = store.config_hash(config_from_template("quickstart", "a"))
    assert plain == store.config_hash(config_from_template("quickstart", "b", tags=["x"], description="y"))
    assert plain != store.config_hash(config_from_template("quickstart", "a", {"training": {"seed": 1}}))


def test_data_at_a_path_are_hashed_as_when_their_name_was_left_at_its_default() -> None:
    config = config_from_template("quickstart", "a", {"data": {"path": "/books/ratings.csv"}})
    earlier = config.model_copy(
        update={"data": DataConfig.model_construct(name="ml-100k", path=Path("/books/ratings.csv"))}
    )
    assert config.data.name == "ratings"
    assert store.config_hash(config) == store.config_hash(earlier)


def test_a_relative_path_of_data_is_kept_as_an_absolute_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ratings.csv").touch()
    relative = config_from_template("popularity", "a").model_copy(
        update={"data": DataConfig(path=Path("ratings.csv"))}
    )
    run = store.create_run(relative, settings)
    assert store.load_config(run.id, settings).data.path == tmp_path / "ratings.csv"
    assert run.location == str(tmp_path / "ratings.csv")


def test_a_folder_without_a_log_is_reported(settings: Settings) -> None:
    (settings.runs / "stray").mkdir(parents=True)
    runs, errors = store.load_runs(settings)
    assert not runs
    assert "cannot read" in str(errors[0])
