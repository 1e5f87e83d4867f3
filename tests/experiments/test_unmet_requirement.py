"""The error of a requirement that is not met has the command line's words, or those for a run."""

from __future__ import annotations

from movielens_recsys.experiments.unmet_requirement import (
    UnmetRequirement,
    set_at_creation,
    set_in_clone,
    set_option,
)

UNMET = UnmetRequirement("too small", "more", "split.validation", 0.1)


def test_the_next_step_sets_the_key_before_a_run_and_clones_it_after() -> None:
    created, cloned = UNMET.error(set_at_creation), UNMET.error(set_in_clone("RUN"))
    assert created.next_step == "set split.validation, for example --set split.validation=0.1"
    assert cloned.next_step == "run a copy: `recsys experiment clone RUN NEW_NAME --set split.validation=0.1`"


def test_advice_stands_where_no_key_helps() -> None:
    unmet = UnmetRequirement("too small", "more", advice="get more")
    assert unmet.error(set_at_creation).next_step == "get more"


def test_values_are_written_as_they_are_read() -> None:
    assert set_option("training.early_stopping", None) == "--set training.early_stopping=null"
    assert set_option("split.protocol", "random") == "--set split.protocol=random"
