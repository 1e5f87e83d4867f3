from __future__ import annotations

import math

import pytest
import torch
from tests.training.small import PLAIN, VAE, trained

from movielens_recsys.data.splits.split import Split
from movielens_recsys.errors import TrainingError
from movielens_recsys.models.networks.layers import RatingOutput
from movielens_recsys.models.networks.ordinal import OrdinalDistribution
from movielens_recsys.training.fit import fit
from movielens_recsys.training.losses import objective, reported_loss


def test_free_bits_add_no_loss_and_no_gradient_below_their_floor() -> None:
    kl = torch.tensor([0.1, 0.5], requires_grad=True)
    output = RatingOutput(torch.tensor([3.0]), kl, torch.zeros(1, 2))
    training = PLAIN.model_copy(update={"free_bits": 0.3})
    loss = objective(output, torch.tensor([5.0]), 3.5, 0.1, training)
    assert loss.item() == pytest.approx(4 + 0.1 * (0.3 + 0.5) / 2)
    loss.backward()
    assert kl.grad is not None
    assert kl.grad.tolist() == pytest.approx([0.0, 0.05])
    assert reported_loss(output, torch.tensor([5.0]), 0.1).item() == pytest.approx(4 + 0.1 * (0.1 + 0.5) / 2)


def test_free_bits_keep_latent_units_in_use(split: Split) -> None:
    heavy = {"kl_weight": 5.0, "epochs": 20}
    without, with_them = (trained(VAE, split, free_bits=bits, **heavy)[1][-1] for bits in (0.0, 0.5))
    assert with_them.val_kl > 10 * without.val_kl
    assert with_them.active_units > without.active_units


def test_label_smoothing_moves_targets_towards_the_mean() -> None:
    output = RatingOutput(torch.tensor([3.0, 4.0]), torch.zeros(0), torch.zeros(2, 0))
    training = PLAIN.model_copy(update={"label_smoothing": 0.2})
    loss = objective(output, torch.tensor([5.0, 1.0]), 3.0, 0.1, training)
    assert float(loss) == pytest.approx(((3 - 4.6) ** 2 + (4 - 1.4) ** 2) / 2)


def test_the_likelihood_is_part_of_the_objective_and_not_of_the_reported_loss(split: Split) -> None:
    output = RatingOutput(
        torch.tensor([3.0]),
        torch.zeros(0),
        torch.zeros(1, 0),
        OrdinalDistribution(torch.zeros(1, 1), 1.0, 4.0),
    )
    training = PLAIN.model_copy(update={"nll_weight": 0.5})
    rating = torch.tensor([5.0])
    assert float(objective(output, rating, 3.5, 0.1, training)) == pytest.approx(4 + 0.5 * math.log(2))
    assert float(reported_loss(output, rating, 0.1)) == pytest.approx(4)
    with pytest.raises(TrainingError, match="predicts no distribution"):
        fit(VAE, training, split)
