import pytest

from movielens_recsys.errors import UnknownNameError
from movielens_recsys.experiments.overrides import (
    config_from_template,
)
from movielens_recsys.experiments.templates import all_templates, load_template, template_names
from movielens_recsys.models.hybrid_vae_config import HybridVAEConfig


@pytest.mark.parametrize("name", template_names())
def test_every_template_is_a_valid_experiment_with_a_description(name: str) -> None:
    template = load_template(name)
    assert template.config("x") == config_from_template(name, "x")
    assert template.description.endswith(".")


def test_templates_have_the_required_values() -> None:
    baseline, optimized = (
        config_from_template("hybrid_vae_baseline", "b"),
        config_from_template("hybrid_vae_optimized", "o"),
    )
    for config, expected in (
        (baseline, (150, (512, 256, 128), 64, 0.01)),
        (optimized, (200, (640, 384, 192), 80, 0.008)),
    ):
        assert isinstance(config.model, HybridVAEConfig)
        model = config.model
        assert (model.n_factors, model.hidden_dims, model.latent_dim, config.training.kl_weight) == expected
        assert config.training.batch_size == 2048
    assert baseline.tags == ("baseline",)
    assert (optimized.targets.rmse, optimized.targets.precision_at_10, optimized.targets.ndcg_at_10) == (
        0.55,
        0.4,
        0.45,
    )
    assert {template.name for template in all_templates()} >= {"quickstart", "neural_cf_baseline"}


def test_an_unknown_template_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'quickstart'"):
        config_from_template("quikstart", "a")
    for path in ("../config", "quickstart.yaml", ""):
        with pytest.raises(UnknownNameError):
            load_template(path)
