"""`ExperimentConfig`: all that a run needs, in one frozen value that is saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from movielens_recsys.config import Config
from movielens_recsys.data.config import DataConfig, RandomSplit, SplitConfig
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.models.any_config import AnyModelConfig
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.early_warnings import WarningThresholds

Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\s\x00-\x1f\x7f]+$")]


class Targets(Config):
    """Target values of metrics; each is shown as met or missed beside the measured value.

    Attributes
    ----------
    loss
        Highest validation loss: squared error, for networks plus the weighted KL.
    rmse
        Highest RMSE.
    precision_at_10, ndcg_at_10
        Lowest precision and NDCG at 10.
    """

    loss: Annotated[float, Field(gt=0)] | None = None
    rmse: Annotated[float, Field(gt=0)] | None = None
    precision_at_10: Annotated[float, Field(gt=0, le=1)] | None = None
    ndcg_at_10: Annotated[float, Field(gt=0, le=1)] | None = None


class TrackingConfig(Config):
    """Trackers beside MLflow; none of it changes a metric.

    With a project, W&B receives the run under the run's id: over the network if ``WANDB_API_KEY`` is set,
    else as files in the home folder.

    Attributes
    ----------
    wandb_project
        Project of W&B that receives the run; none: W&B is not used.
    wandb_entity
        User or team of that project; none: the account's default.
    """

    wandb_project: Annotated[str, Field(pattern=r"^[^/\\#?%:\x00-\x1f\x7f]{1,128}$")] | None = None
    wandb_entity: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")] | None = None


class Resources(Config):
    """Price and cap of a run; neither changes a metric.

    The cost is the hours of all attempts x ``price_usd_per_hour``. At ``cap_usd`` the run is saved and
    stopped. A price of 0, as on your own machine, has no cap.
    """

    price_usd_per_hour: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    cap_usd: Annotated[float, Field(gt=0, le=1_000_000)] = 20.0


class ExperimentConfig(Config):
    """The complete configuration of one experiment.

    Attributes
    ----------
    name, template
        Arguments of the command that creates it.
    description
        Its purpose in a sentence.
    tags
        Words to find it by; those of the template come first.
    data
        The ratings.
    split
        How they are divided into training, validation and test part.
    model
        The model and its hyper-parameters.
    training
        How the model is trained.
    early_warnings
        From when on a training is warned of.
    contingencies
        What follows an early warning: nothing, a suggested command, or a remedy that is taken.
    evaluation
        How the model is evaluated.
    targets
        Metrics that it should reach.
    tracking
        Trackers beside MLflow.
    resources
        Price and cap.
    """

    name: str
    template: str
    description: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    tags: Annotated[tuple[Tag, ...], Field(max_length=50)] = ()
    data: DataConfig = DataConfig()
    split: SplitConfig = RandomSplit()
    model: AnyModelConfig
    training: TrainingConfig = TrainingConfig()
    early_warnings: WarningThresholds = WarningThresholds()
    contingencies: Literal["off", "suggest", "auto"] = "suggest"
    evaluation: EvaluationConfig = EvaluationConfig()
    targets: Targets = Targets()
    tracking: TrackingConfig = TrackingConfig()
    resources: Resources = Resources()

    def with_evaluation(self, changes: Mapping[str, Any]) -> ExperimentConfig:
        """Return the configuration with ``changes`` to its evaluation, validated.

        Raises
        ------
        ConfigError
            A key is unknown, or a value is mistyped or out of range.
        """
        if not changes:
            return self
        values = self.model_dump(mode="json")
        return ExperimentConfig.parse({**values, "evaluation": {**values["evaluation"], **changes}})

    @model_validator(mode="after")
    def _likelihood_of_an_ordinal_model(self) -> Self:
        if self.training.nll_weight and not self.model.has_ordinal_output:
            raise ValueError(
                f"training.nll_weight is {self.training.nll_weight:g} and the model predicts no "
                "distribution; expected 0, or hybrid_vae with encoder two_sided"
            )
        return self
