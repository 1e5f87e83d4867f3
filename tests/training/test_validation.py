from __future__ import annotations

import pytest
from tests.training.small import NEUMF, VAE, trained

from movielens_recsys.data.splits.split import Split


def test_bf16_trains_and_is_evaluated_in_full_precision(split: Split) -> None:
    model, history = trained(VAE, split, precision="bf16")
    _, exact = trained(VAE, split)
    best = min(history, key=lambda record: record.val_rmse)
    rows = split.part("validation")
    error = model.predict(rows.users, rows.items) - rows.ratings
    assert float((error**2).mean()) == pytest.approx(best.val_mse, rel=1e-5)
    assert history != exact
    assert best.val_rmse == pytest.approx(min(record.val_rmse for record in exact), abs=0.05)


def test_active_units_are_counted_where_there_is_a_latent(split: Split) -> None:
    _, collapsed = trained(VAE, split, kl_weight=50.0, epochs=6)
    _, free = trained(VAE, split, kl_weight=0.0, epochs=6)
    _, none = trained(NEUMF, split)
    assert (collapsed[-1].active_units, none[-1].active_units) == (0.0, None)
    assert free[-1].active_units in {0.25, 0.5, 0.75, 1.0}
