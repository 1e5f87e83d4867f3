"""Hyper-parameters of the models solved in closed form."""

from __future__ import annotations

from typing import ClassVar, Literal

from movielens_recsys.models.config import FitMethod, ModelConfig, Shrinkage


class GlobalMeanConfig(ModelConfig):
    """Every pair gets the mean training rating."""

    fit_method: ClassVar[FitMethod] = "closed_form"
    name: Literal["global_mean"] = "global_mean"


class PopularityConfig(ModelConfig):
    """Ranks by number of training ratings; predicts the item's mean, shrunk towards the global mean."""

    fit_method: ClassVar[FitMethod] = "closed_form"
    learns_from_interactions: ClassVar[bool] = True
    name: Literal["popularity"] = "popularity"
    shrinkage: Shrinkage = 10.0


class UserItemBiasConfig(ModelConfig):
    """Global mean + user bias + item bias, the ridge regression solved exactly."""

    fit_method: ClassVar[FitMethod] = "closed_form"
    name: Literal["user_item_bias"] = "user_item_bias"
    user_regularization: Shrinkage = 5.0
    item_regularization: Shrinkage = 3.0
