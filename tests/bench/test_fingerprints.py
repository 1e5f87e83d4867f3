"""What makes a saved result stale, and what does not."""

from __future__ import annotations

import dataclasses

import pytest

from movielens_recsys.bench import fingerprints
from movielens_recsys.bench.fingerprints import code_of_model, code_of_peer, data_of, digest
from movielens_recsys.data.synthetic import synthetic_ratings
from movielens_recsys.errors import BenchError
from movielens_recsys.models.baselines_config import UserItemBiasConfig
from movielens_recsys.models.bayesian.config import BayesianMFConfig
from movielens_recsys.models.composite_config import RatingRankingConfig
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig
from movielens_recsys.models.implicit.blend_config import BlendMember, ScoreBlendConfig
from movielens_recsys.models.implicit.ease_config import EASEConfig
from movielens_recsys.models.networks.neumf_config import NeuMFConfig

COMPOSITE = RatingRankingConfig(stars=NeuMFConfig(), lists=EASEConfig())
BLEND = ScoreBlendConfig(members=(BlendMember(model=EASEConfig()),))


def test_comments_docstrings_and_formatting_do_not_count_but_code_does(peers):
    peer = peers["mean"]
    before = code_of_peer(peer)
    text = peer.script.read_text()
    peer.script.write_text(
        '"""Says what it is."""\n' + text.replace("Model(train, job)", "Model( train,job )  # so")
    )
    assert code_of_peer(peer) == before
    peer.script.write_text(text.replace("self.counts = counts", "self.counts = counts + 1"))
    assert code_of_peer(peer) != before


def test_requirements_count(peers, tmp_path):
    peer = peers["mean"]
    (peer.folder / "needs.txt").write_text("numpy==2.0\n")
    config = peer.config.model_copy(update={"requirements": "needs.txt"})
    pinned = dataclasses.replace(peer, config=config)
    before = code_of_peer(pinned)
    assert before != code_of_peer(peer)
    (peer.folder / "needs.txt").write_text("numpy==2.1\n")
    assert code_of_peer(pinned) != before


def test_a_script_that_is_no_python_is_refused(peers):
    peers["mean"].script.write_text("def (")
    with pytest.raises(BenchError, match="expected a Python script"):
        code_of_peer(peers["mean"])


@pytest.mark.parametrize(
    ("config", "there", "not_there"),
    [
        (UserItemBiasConfig(), "models.baselines", "training.gradient_trainer"),
        (BayesianMFConfig(), "models.bayesian.numba_ops", "training.gradient_trainer"),
        (HybridVAEConfig(), "training.gradient_trainer", "models.networks.neumf"),
        (NeuMFConfig(), "models.networks.layers", "models.bayesian.model"),
        (NeuMFConfig(), "training.gradient_trainer", "models.table"),
        (NeuMFConfig(), "training.fit", "training.mcmc_loop"),
        (COMPOSITE, "models.implicit.ease", "models.implicit.ials"),
        (COMPOSITE, "models.networks.neumf", "models.table"),
        (BLEND, "models.implicit.ease", "models.implicit.ials"),
    ],
)
def test_a_model_depends_on_its_own_modules_alone(monkeypatch, config, there, not_there):
    before = code_of_model(config)
    modules = fingerprints._modules()
    elsewhere = modules["movielens_recsys.seeds"]
    for name, changes in ((there, True), (not_there, False)):
        full = f"movielens_recsys.{name}"
        assert full in modules
        monkeypatch.setitem(modules, full, elsewhere)
        assert (code_of_model(config) != before) is changes
        monkeypatch.undo()


def test_imports_of_a_type_checker_do_not_count(monkeypatch, tmp_path):
    name, source = "movielens_recsys.models.baselines", tmp_path / "baselines.py"
    monkeypatch.setitem(fingerprints._modules(), name, source)
    codes = []
    for head in ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:", "if True:"):
        source.write_text(f"{head}\n    from movielens_recsys.models.implicit.ease import EASE\n")
        before = code_of_model(UserItemBiasConfig())
        with monkeypatch.context() as patch:
            patch.setitem(fingerprints._modules(), "movielens_recsys.models.implicit.ease", source)
            codes.append(code_of_model(UserItemBiasConfig()) == before)
    assert codes == [True, False]


def test_tables_of_users_and_items_count_as_data():
    ratings = synthetic_ratings(20, 30, 100, seed=0).ratings
    assert ratings.item_table is not None
    bare = dataclasses.replace(ratings, item_table=None)
    assert data_of(ratings) != data_of(bare)
    assert ratings.content_hash == bare.content_hash


def test_the_order_of_keys_does_not_count():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
