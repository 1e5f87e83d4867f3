"""The contract of every recommender: one suite, run over every model of the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from movielens_recsys.data.scale import Scale
from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import ModelError
from movielens_recsys.models.base import Model
from movielens_recsys.models.baselines_config import GlobalMeanConfig, PopularityConfig, UserItemBiasConfig
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.bundle import load_bundle, save_bundle
from movielens_recsys.models.composite_config import RatingRankingConfig
from movielens_recsys.models.config import ModelConfig
from movielens_recsys.models.ensemble.config import EnsembleConfig
from movielens_recsys.models.ensemble.model import Ensemble
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.implicit.blend_config import BlendMember, ScoreBlendConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.implicit.ials_config import IALSConfig
from movielens_recsys.models.implicit.item_knn_config import ItemKNNConfig
from movielens_recsys.models.implicit.mult_vae_config import MultVAEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig
from movielens_recsys.models.table import MODELS
from movielens_recsys.recommender import UNKNOWN, HistoryRanker, Recommender, SimilarityRecommender
from movielens_recsys.training.config import TrainingConfig
from movielens_recsys.training.fit import fit

SMALL_VAE = {"n_factors": 6, "hidden_dims": (12, 8), "latent_dim": 4}
SMALL_CHAIN = {"n_factors": 4, "sweeps": 30, "burn_in": 10, "n_posterior_samples": 10}
SMALL_MULT_VAE = {"hidden_dim": 12, "latent_dim": 4, "epochs": 2, "batch_size": 32}
CONFIGS: dict[str, ModelConfig] = {
    "global_mean": GlobalMeanConfig(),
    "popularity": PopularityConfig(),
    "user_item_bias": UserItemBiasConfig(),
    "bayesian_mf": BayesianMFConfig(**SMALL_CHAIN),
    "bayesian_mf of ratings alone": BayesianMFConfig(
        implicit_features=False, side_information=False, time_effects=False, sessions=(), **SMALL_CHAIN
    ),
    "neural_cf": NeuMFConfig(n_factors=6, hidden_dims=(12, 8)),
    "hybrid_vae": HybridVAEConfig(**SMALL_VAE),
    "hybrid_vae with batch norm and sigmoid": HybridVAEConfig(
        normalization="batch", bias_terms=False, output="sigmoid", **SMALL_VAE
    ),
    "two-tower hybrid_vae": HybridVAEConfig(encoder="two_sided", **SMALL_VAE),
    "two-tower hybrid_vae of ratings alone, with ids": HybridVAEConfig(
        encoder="two_sided",
        id_embeddings=True,
        side_information=False,
        time_effects=False,
        sessions=(),
        latent_noise=0.5,
        **SMALL_VAE,
    ),
    "two-tower hybrid_vae with every variant": HybridVAEConfig(
        encoder="two_sided", variants=("skip", "attention", "hierarchical"), **SMALL_VAE
    ),
    "ease": EASEConfig(),
    "ease of few items, of high ratings": EASEConfig(max_items=20, min_positive_rating="middle"),
    "ials": IALSConfig(n_factors=4, sweeps=2),
    "item_knn": ItemKNNConfig(neighbours=7),
    "mult_vae": MultVAEConfig(**SMALL_MULT_VAE),
    "list_blend": ScoreBlendConfig(
        members=(BlendMember(model=EASEConfig()), BlendMember(model=ItemKNNConfig(), weight=0.3))
    ),
    "stars_and_lists": RatingRankingConfig(stars=BayesianMFConfig(**SMALL_CHAIN), lists=EASEConfig()),
    "stars_and_lists of a network": RatingRankingConfig(
        stars=HybridVAEConfig(**SMALL_VAE), lists=MultVAEConfig(**SMALL_MULT_VAE)
    ),
    "ensemble by mean": EnsembleConfig(members=(PopularityConfig(), UserItemBiasConfig()), blend="mean"),
    "ensemble by ridge": EnsembleConfig(
        members=(BayesianMFConfig(**SMALL_CHAIN), HybridVAEConfig(**SMALL_VAE)), blend="ridge"
    ),
    "ensemble by gbm": EnsembleConfig(
        members=(GlobalMeanConfig(), BayesianMFConfig(**SMALL_CHAIN)), blend="gbm"
    ),
}
TRAINING = TrainingConfig(epochs=3, batch_size=128, learning_rate=0.01)


def fitted(config: ModelConfig, split: Split) -> Model:
    """Fit a model, or an ensemble's members and then its blend."""
    if not isinstance(config, EnsembleConfig):
        return fit(config, TRAINING, split)[0]
    members = [fitted(member, split) for member in config.members]
    return Ensemble.stack(members, config.blend, split.part("train"), split.part("validation"))


@pytest.fixture(scope="module", params=CONFIGS, ids=str)
def config(request: pytest.FixtureRequest) -> ModelConfig:
    return CONFIGS[request.param]


@pytest.fixture(scope="module")
def model(config: ModelConfig, split: Split) -> Model:
    return fitted(config, split)


def all_users(split: Split) -> np.ndarray:
    return np.arange(split.ratings.n_users)


def test_every_model_of_the_table_is_tested() -> None:
    assert {config.name for config in CONFIGS.values()} == set(MODELS)


def test_it_implements_the_protocol(model: Model, split: Split) -> None:
    assert isinstance(model, Recommender)
    assert (model.n_users, model.n_items) == (split.ratings.n_users, split.ratings.n_items)


def test_predictions_are_finite_ratings_on_the_scale(model: Model, split: Split) -> None:
    test = split.part("test")
    predicted = model.predict(test.users, test.items)
    assert predicted.shape == (len(test),)
    assert predicted.dtype == np.float32
    assert np.isfinite(predicted).all()
    assert predicted.min() >= split.ratings.scale.minimum
    assert predicted.max() <= split.ratings.scale.maximum


def centred_scores(model: Model, split: Split) -> np.ndarray:
    """Return each user's scores with mean 0 and deviation 1; those of a constant scorer are 0."""
    scores = model.score(all_users(split)).astype(np.float64)
    deviation = scores.std(axis=1, keepdims=True)
    return (scores - scores.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-4)


def test_on_a_wider_scale_it_learns_the_same(config: ModelConfig, model: Model, split: Split) -> None:
    """The same ratings from 0 to 100 give the same rankings, and predictions 25 times as far apart."""
    rescaled = (split.ratings.ratings - 1) * np.float32(25)
    wide = replace(split, ratings=replace(split.ratings, ratings=rescaled, scale=Scale(0, 100, 25)))
    wide_model = fitted(config, wide)
    # Sums are rounded differently, and steps of gradient descent magnify that.
    tolerance = 1e-2 if config.footprint() else 1e-4
    test = split.part("test")
    predicted = wide_model.predict(test.users, test.items)
    np.testing.assert_allclose(1 + predicted / 25, model.predict(test.users, test.items), atol=tolerance)
    items, ratings = np.array([3, 8, 11]), np.array([5.0, 3.0, 4.0], np.float32)
    folded = 1 + wide_model.fold_in(items, (ratings - 1) * 25) / 25
    np.testing.assert_allclose(folded, model.fold_in(items, ratings), atol=5 * tolerance)
    scores, wide_scores = (centred_scores(fit, split) for fit in (model, wide_model))
    assert (scores * wide_scores).mean() == pytest.approx((scores**2).mean(), abs=tolerance), "correlation"


def test_a_prediction_does_not_depend_on_the_batch(model: Model, split: Split) -> None:
    test = split.part("test")
    together = model.predict(test.users, test.items)
    backwards = model.predict(test.users[::-1], test.items[::-1])[::-1]
    np.testing.assert_allclose(together, backwards, atol=1e-5)
    np.testing.assert_allclose(together[:1], model.predict(test.users[:1], test.items[:1]), atol=1e-5)


def test_scores_cover_the_catalogue_for_each_user(model: Model, split: Split) -> None:
    users = np.array([5, 3, 5])
    scores = model.score(users)
    assert scores.shape == (3, model.n_items)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores[0], scores[2], atol=1e-6)


def test_empty_inputs_give_empty_outputs(model: Model) -> None:
    empty = np.array([], dtype=np.int64)
    assert model.predict(empty, empty).shape == (0,)
    assert model.score(empty).shape == (0, model.n_items)


def test_unknown_and_cold_users_and_items_get_the_fallback(model: Model, split: Split) -> None:
    users = np.array([UNKNOWN, UNKNOWN, 4, 0, 4, 0])
    items = np.array([UNKNOWN, 7, UNKNOWN, 7, 0, 0])
    predicted = model.predict(users, items)
    assert np.isfinite(predicted).all()
    # A user or item without a training rating is predicted like one outside the id maps.
    np.testing.assert_allclose(predicted[[3, 4, 5]], predicted[[1, 2, 0]], atol=1e-5)
    assert np.isfinite(model.score(np.array([UNKNOWN, 0]))).all()


@pytest.mark.parametrize("wrong", [-2, 10**6])
def test_an_index_outside_the_id_maps_is_refused(model: Model, wrong: int) -> None:
    right = np.array([1])
    for users, items in ((np.array([wrong]), right), (right, np.array([wrong]))):
        with pytest.raises(ModelError, match=str(wrong)):
            model.predict(users, items)
    with pytest.raises(ModelError, match=str(wrong)):
        model.score(np.array([wrong]))
    with pytest.raises(ModelError, match=str(wrong)):
        model.fold_in(np.array([wrong]), np.array([3.0]))


BAD_HISTORIES = {
    "three items, one rating": ([3, 4, 5], [5.0]),
    "a rating that is NaN": ([3, 4], [np.nan, 5.0]),
    "an infinite rating": ([3, 4], [np.inf, 5.0]),
    "ratings above the scale": ([3, 4], [100.0, 100.0]),
    "a rating below the scale": ([3], [-1.0]),
    "an item twice": ([3, 4, 3], [5.0, 4.0, 1.0]),
    "a rating between two steps": ([3, 4], [3.5, 4.0]),
}


@pytest.mark.parametrize("history", BAD_HISTORIES.values(), ids=BAD_HISTORIES)
def test_a_history_that_makes_no_sense_is_refused(
    model: Model, history: tuple[list[int], list[float]]
) -> None:
    items, ratings = np.array(history[0]), np.array(history[1], np.float32)
    with pytest.raises(ModelError, match="histor"):
        model.fold_in(items, ratings)
    if isinstance(model, HistoryRanker):
        with pytest.raises(ModelError, match="histor"):
            model.score_history(items, ratings)


def test_fold_in_predicts_for_a_new_user_and_changes_nothing(model: Model, split: Split) -> None:
    before = {name: array.copy() for name, array in model.state().items()}
    items, ratings = np.array([3, 8, 11]), np.array([5.0, 5.0, 4.0], np.float32)
    answer = model.fold_in(items, ratings)
    assert answer.shape == (model.n_items,)
    assert answer.min() >= split.ratings.scale.minimum
    assert answer.max() <= split.ratings.scale.maximum
    np.testing.assert_array_equal(answer, model.fold_in(items, ratings))
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_items_outside_the_id_maps_may_be_in_a_history_twice(model: Model) -> None:
    items = np.array([UNKNOWN, 3, UNKNOWN])
    assert np.isfinite(model.fold_in(items, np.array([5.0, 4.0, 1.0], np.float32))).all()


def test_an_empty_history_gets_the_prior_of_a_network_and_the_fallback_of_others(model: Model) -> None:
    answer = model.fold_in(np.array([], np.int64), np.array([], np.float32))
    assert answer.shape == (model.n_items,)
    assert np.isfinite(answer).all()
    if model.config.rating_model.fit_method in {"closed_form", "own_algorithm"} and not isinstance(
        model, Ensemble
    ):
        fallback = model.predict(np.full(model.n_items, UNKNOWN), np.arange(model.n_items))
        np.testing.assert_allclose(answer, fallback, atol=1e-5)


def test_it_knows_whose_ratings_it_has(model: Model, split: Split) -> None:
    train = split.part("train")
    for known, index in ((model.known_users, train.users), (model.known_items, train.items)):
        if not known.all():  # a model may predict alike for all users, or all items
            np.testing.assert_array_equal(known, np.bincount(index, minlength=len(known)) > 0)
    assert model.ranked_users.shape == (model.n_users,)
    assert not (model.ranked_users & ~model.known_users).any()
    assert "\n" not in model.score_meaning


def test_similarities_cover_the_catalogue(model: Model) -> None:
    if not isinstance(model, SimilarityRecommender):
        pytest.skip("learns of each item alone")
    similarities = model.item_similarities(7)
    assert similarities.shape == (model.n_items,)
    assert np.isfinite(similarities).all()
    assert (np.delete(similarities, 7) > 0).any() or not similarities.any(), "some item is alike"
    assert not model.item_similarities(0).any(), "nothing was learned of an item without training ratings"
    assert model.similarity_meaning


def test_a_ranking_for_a_history_is_that_of_its_user(model: Model, split: Split) -> None:
    if not isinstance(model, HistoryRanker):
        pytest.skip("ranks by predicted ratings")
    train = split.part("train")
    history = train.users == 5
    scores = model.score_history(train.items[history], train.ratings[history])
    assert scores.shape == (model.n_items,)
    np.testing.assert_allclose(scores, model.score(np.array([5]))[0], rtol=1e-4, atol=1e-5)
    nothing = model.score_history(np.array([UNKNOWN]), np.array([5.0], np.float32))
    np.testing.assert_allclose(nothing, model.score(np.array([UNKNOWN]))[0], rtol=1e-6)
    with pytest.raises(ModelError, match="1000000"):
        model.score_history(np.array([10**6]), np.array([3.0]))


def test_the_same_seed_gives_the_same_model_bit_for_bit(
    config: ModelConfig, model: Model, split: Split
) -> None:
    again = fitted(config, split)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, again.state()[name], err_msg=name)


def test_training_reads_no_held_out_rating(config: ModelConfig, model: Model, split: Split) -> None:
    values = split.ratings.ratings.copy()
    values[split.test] = split.ratings.scale.minimum
    poisoned = Split(
        replace(split.ratings, ratings=values), split.config, split.train, split.validation, split.test
    )
    again = fitted(config, poisoned)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, again.state()[name], err_msg=name)


def test_a_bundle_gives_back_the_same_recommender(model: Model, split: Split, tmp_path: Path) -> None:
    folder = save_bundle(model, split.ratings, tmp_path / "bundle", {"data_hash": split.ratings.content_hash})
    bundle = load_bundle(folder)
    test = split.part("test")
    np.testing.assert_array_equal(
        bundle.recommender.predict(test.users, test.items), model.predict(test.users, test.items)
    )
    np.testing.assert_array_equal(bundle.recommender.score(all_users(split)), model.score(all_users(split)))
    np.testing.assert_array_equal(bundle.user_ids, split.ratings.user_ids)
    np.testing.assert_array_equal(bundle.item_ids, split.ratings.item_ids)
    assert bundle.metadata == {"data_hash": split.ratings.content_hash}
    assert bundle.recommender.config == model.config
