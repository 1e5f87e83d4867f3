"""Requirements of a configuration on its data, its split and the machine, checked before anything is trained.

Whatever would end a run for certain, and can be known before, is refused here: when an experiment is
created, as far as its data are on this machine, in every dry run, and at the start of a run, before its
record changes. What a single section shows to be wrong is refused by the configuration itself; what may go
well, and is unusual, is a warning of `preflight`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from movielens_recsys.data.config import OfficialSplit
from movielens_recsys.data.datasets import DATASETS
from movielens_recsys.data.splits.split import HeldOutPart, Split, split_name
from movielens_recsys.experiments.data_facts import DataFacts
from movielens_recsys.experiments.memory_requirement import memory_requirement
from movielens_recsys.experiments.templates import all_templates
from movielens_recsys.experiments.unmet_requirement import (
    Change,
    UnmetRequirement,
    set_at_creation,
    set_in_clone,
    set_in_evaluation,
)
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.runs.config import ExperimentConfig
from movielens_recsys.runs.run import Run
from movielens_recsys.training.config import TrainingConfig

Requirement = Callable[[ExperimentConfig, DataFacts | None], UnmetRequirement | None]


def check_run(
    run: Run, config: ExperimentConfig, split: Split, *, resume: bool = False, n_devices: int = 1
) -> None:
    """Refuse what would end a run on these rows and this machine, before it goes on.

    Parameters
    ----------
    resume
        Whether it goes on from where it was: of a run that is trained, the evaluation alone is checked.

    Raises
    ------
    ConfigError
        A requirement is not met, or this machine has surely not the memory for the fit.
    TrainingError
        The configured device is not here.
    """
    facts = DataFacts.of_split(split)
    if resume and run.fitted:
        check_requirements(config, facts, set_in_evaluation(run.id), EVALUATION_REQUIREMENTS)
        return
    check_requirements(config, facts, set_in_clone(run.id))
    too_large = memory_requirement(config, facts)
    if too_large is not None:
        raise too_large.error(set_in_clone(run.id))
    if config.model.rating_model.fit_method == "gradient":
        from movielens_recsys.training.distributed import require_devices  # loads torch, as training does

        require_devices(config.training, n_devices)


def check_fit(model: ModelConfig, training: TrainingConfig, split: Split) -> None:
    """Refuse what would end a fit to the training rows of ``split``; nothing is evaluated.

    Raises
    ------
    ConfigError
        A requirement is not met.
    """
    config = ExperimentConfig.parse(
        {
            "name": "fit",
            "template": "",
            "split": split.config.model_dump(mode="json"),
            "model": model.model_dump(mode="json"),
            "training": training.model_dump(mode="json"),
            "evaluation": {"protocols": []},
        }
    )
    check_requirements(config, DataFacts.of_split(split), lambda key, value: f"set {key}, say to {value!r}")


def _official_split(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    """Only ML-100K has official splits; of the user's own files, their rows decide."""
    other = config.data.path is None and config.data.name in DATASETS and config.data.name != "ml-100k"
    if not isinstance(config.split, OfficialSplit) or not other:
        return None
    return UnmetRequirement(
        f"{config.data.name} has no official split {config.split.name}",
        "ml-100k, or another protocol",
        "split.protocol",
        "random",
    )


def _validation_rows(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    """A network is trained to its best epoch, which validation rows choose."""
    if config.model.rating_model.fit_method != "gradient":
        return None
    split = facts.split if facts else None
    if split is None:
        empty = getattr(config.split, "validation", None) == 0
        n_ratings = facts.n_ratings if facts else 0
    else:
        empty, n_ratings = not len(split.validation), len(split.ratings)
    if not empty:
        return None
    of_ratings = f" of {n_ratings:,} ratings" if n_ratings else ""
    one_row = -(-100 // n_ratings) / 100 if n_ratings else 0.0
    return UnmetRequirement(
        f"{split_name(config.split)} leaves the validation part{of_ratings} empty",
        f"validation rows, by which {config.model.rating_model.name} chooses its best epoch",
        "split.validation",
        max(0.1, one_row),
    )


def _ratings_to_predict(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    """Implicit data hold interactions alone: only models of positives can learn from them."""
    if facts is None or not facts.implicit or config.model.learns_from_interactions:
        return None
    fitting = [t.name for t in all_templates() if t.config(t.name).model.learns_from_interactions]
    return UnmetRequirement(
        f"{config.model.name} learns from ratings, and {facts.name} holds interactions without ratings",
        "a model of positives",
        advice=f"create it from one of the templates {', '.join(fitting)}",
    )


def _scale_with_width(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    if facts is None or facts.scale.maximum > facts.scale.minimum:
        return None
    return UnmetRequirement(
        f"every rating of {facts.name} is {facts.scale.minimum:g}: there is nothing to predict",
        "ratings of at least two values",
        advice="state the scale that they are on when you import them: `recsys data import FILE --scale 0:1`",
    )


def _relevant_rows(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    """Rankings need a relevant item in every part that is evaluated."""
    if facts is None or not config.evaluation.protocols:
        return None
    threshold, key = config.evaluation.threshold_on(facts.scale), "evaluation.relevance_threshold"
    if threshold > facts.scale.maximum:
        return _beyond_scale(facts, key, threshold, "held-out")
    for part in _evaluated_parts(facts):
        assert facts.split is not None
        highest = float(facts.split.part(part).ratings.max())
        if highest < threshold:
            return UnmetRequirement(
                f"no {part} rating of {facts.name} reaches {key} = {threshold:g}: the highest is {highest:g}",
                "a threshold that some rating of every held-out part reaches",
                key,
                highest,
            )
    return None


def _evaluated_parts(facts: DataFacts) -> list[HeldOutPart]:
    if facts.split is None:
        return []
    return ["validation", "test"] if len(facts.split.validation) else ["test"]


def _positives(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    """A model of positives needs a training rating that counts as one."""
    model = config.model.ranking_model
    least = model.positive_threshold_on(facts.scale) if facts else None
    if facts is None or least is None:
        return None
    key = "model.min_positive_rating" if model is config.model else "model.lists.min_positive_rating"
    if least > facts.scale.maximum:
        return _beyond_scale(facts, key, least, "training")
    highest = float(facts.split.part("train").ratings.max()) if facts.split else facts.scale.maximum
    if highest >= least:
        return None
    return UnmetRequirement(
        f"no training rating of {facts.name} reaches {key} = {least:g}: the highest is {highest:g}",
        "a threshold that some training rating reaches",
        key,
        highest,
    )


def _beyond_scale(facts: DataFacts, key: str, value: float, rows: str) -> UnmetRequirement:
    scale = facts.scale
    return UnmetRequirement(
        f"{key} is {value:g}, and the ratings of {facts.name} are from {scale.minimum:g} to "
        f"{scale.maximum:g}",
        f"a threshold that some {rows} rating reaches",
        key,
        scale.maximum,
    )


def _rows_beside_a_step(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    """A model that leaves a step's ratings out of what it encodes needs others beside them."""
    if facts is None or facts.split is None or not config.model.rating_model.masks_targets:
        return None
    n_train = len(facts.split.train)
    n_step = config.training.batch_rows(n_train)
    if n_train - n_step >= 2:  # a single row would join the step
        return None
    return UnmetRequirement(
        f"a step of training.batch_size = {n_step} predicts all {n_train} training ratings",
        "some ratings left to encode users and items from",
        "training.batch_fraction",
        0.1,
    )


def _rows_of_a_step(config: ExperimentConfig, facts: DataFacts | None) -> UnmetRequirement | None:
    """Batch normalisation needs the variance of two rows."""
    model, training = config.model.rating_model, config.training
    n_train = len(facts.split.train) if facts and facts.split else training.batch_size
    n_step = min(training.batch_rows(n_train), n_train)
    if n_step >= model.min_batch_rows:
        return None
    return UnmetRequirement(
        f"a step has {n_step} row, and batch normalisation needs the variance of several",
        f"steps of at least {model.min_batch_rows} rows",
        "training.batch_size",
        2048,
    )


EVALUATION_REQUIREMENTS: tuple[Requirement, ...] = (_relevant_rows,)
"""Those of a run that is trained."""
REQUIREMENTS: tuple[Requirement, ...] = (
    _official_split,
    _ratings_to_predict,
    _scale_with_width,
    _validation_rows,
    *EVALUATION_REQUIREMENTS,
    _positives,
    _rows_beside_a_step,
    _rows_of_a_step,
)
"""In the order in which they are checked: the first that is not met is told."""


def check_requirements(
    config: ExperimentConfig,
    facts: DataFacts | None,
    change: Change = set_at_creation,
    requirements: Sequence[Requirement] = REQUIREMENTS,
) -> None:
    """Refuse a configuration that cannot be trained and evaluated on its data.

    Parameters
    ----------
    facts
        What is known of the data; None leaves the configuration alone to be checked.
    change
        Words the next step.

    Raises
    ------
    ConfigError
        The first requirement that is not met, with the key to change.
    """
    for requirement in requirements:
        unmet = requirement(config, facts)
        if unmet is not None:
            raise unmet.error(change)
