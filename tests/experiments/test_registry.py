import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from movielens_recsys.errors import ExperimentError, StorageError, UnknownNameError, UsageError
from movielens_recsys.experiments import locks, registry
from movielens_recsys.experiments.modifications import resolve
from movielens_recsys.experiments.record import Run
from movielens_recsys.schema import RunState
from movielens_recsys.settings import Settings


@pytest.fixture
def create(settings: Settings) -> Callable[[str], Run]:
    return lambda name: registry.create(resolve("user_item_bias", name), settings)


def python(program: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *words], stdout=subprocess.PIPE, text=True
    )


def test_an_experiment_is_created_whole(create: Callable[[str], Run], settings: Settings) -> None:
    run = create("first")
    assert re.fullmatch(r"first_\d{8}_\d{6}", run.id)
    assert (run.state, run.template, run.tags) == (RunState.PLANNED, "user_item_bias", ("reference",))
    assert registry.load(run.id, settings) == run
    assert registry.load_config(run.id, settings) == resolve("user_item_bias", "first")
    assert sorted(path.name for path in registry.folder_of(run.id, settings).iterdir()) == [
        "config.json",
        "events.jsonl",
    ]


@pytest.mark.parametrize("name", ["", "a/b", "../x", "x" * 300, ".hidden", "-x", "a b", "ü", "a\n", "a\0b"])
def test_a_name_that_cannot_be_a_folder_is_refused(
    name: str, create: Callable[[str], Run], settings: Settings
) -> None:
    with pytest.raises(UsageError) as caught:
        registry.check_name(name)
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)
    assert not settings.runs.exists()


def test_the_longest_name_can_be_a_folder(create: Callable[[str], Run]) -> None:
    assert create("x" * 80).name == "x" * 80


def test_a_home_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot create the experiment"):
        registry.create(resolve("popularity", "a"), Settings(home=tmp_path / "file"))


def test_a_full_disk_leaves_no_experiment_behind(settings: Settings) -> None:
    program = """
        import resource, signal, sys
        from pathlib import Path
        from movielens_recsys.errors import StorageError
        from movielens_recsys.experiments import registry
        from movielens_recsys.experiments.modifications import resolve
        from movielens_recsys.settings import Settings

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        config = resolve("popularity", "a")
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        try:
            registry.create(config, Settings(home=Path(sys.argv[1])))
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
    assert registry.find(apple.id, settings) == apple.id
    assert registry.find("apr", settings) == apricot.id
    with pytest.raises(UsageError, match="2 experiments begin with 'ap'"):
        registry.find("ap", settings)
    with pytest.raises(UnknownNameError, match=f"did you mean '{apple.id}'"):
        registry.find("aple" + apple.id[5:], settings)
    for wrong in ("", "../apple", "x" * 300, "."):
        with pytest.raises(UnknownNameError):
            registry.find(wrong, settings)


def test_archiving_a_run_whose_process_died_marks_it_as_failed(
    create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("dead")
    with locks.writing(run.id, settings) as writer:
        registry.start(run, writer, {})
    archived = registry.archive(run.id, settings)
    assert (archived.state, archived.state_before_archive) == (RunState.ARCHIVED, RunState.FAILED)
    assert "without a word" in archived.reason


@pytest.mark.parametrize("end", ["completed", "failed", "archived"])
def test_a_finished_experiment_cannot_be_started(
    end: str, create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("done")
    with locks.writing(run.id, settings) as writer:
        writer.append(end, {})
        before = registry.load(run.id, settings)
        with pytest.raises(ExperimentError, match="clone"):
            registry.start(before, writer, {})
    assert registry.load(run.id, settings) == before


def test_an_experiment_is_archived_once(create: Callable[[str], Run], settings: Settings) -> None:
    run = create("old")
    assert registry.archive(run.id, settings).state_before_archive is RunState.PLANNED
    with pytest.raises(ExperimentError, match="archived already"):
        registry.archive(run.id, settings)


def test_one_damaged_experiment_does_not_hide_the_others(
    create: Callable[[str], Run], settings: Settings
) -> None:
    good, bad = create("good"), create("bad")
    (registry.folder_of(bad.id, settings) / "events.jsonl").write_text("{}\n")
    runs, errors = registry.load_all(settings)
    assert [run.id for run in runs] == [good.id]
    assert "line 1 is not an event" in str(errors[0])


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"name": 1}'])
def test_a_damaged_configuration_is_an_error(
    content: str, create: Callable[[str], Run], settings: Settings
) -> None:
    run = create("a")
    (registry.folder_of(run.id, settings) / "config.json").write_text(content)
    with pytest.raises(ExperimentError, match=r"cannot use .*config\.json"):
        registry.load_config(run.id, settings)


def test_the_configuration_hash_is_of_what_decides_the_figures() -> None:
    plain = registry.config_hash(resolve("quickstart", "a"))
    assert plain == registry.config_hash(resolve("quickstart", "b", tags=["x"], description="y"))
    assert plain != registry.config_hash(resolve("quickstart", "a", {"training": {"seed": 1}}))


def test_a_folder_without_a_log_is_reported(settings: Settings) -> None:
    (settings.runs / "stray").mkdir(parents=True)
    runs, errors = registry.load_all(settings)
    assert not runs
    assert "cannot read" in str(errors[0])
