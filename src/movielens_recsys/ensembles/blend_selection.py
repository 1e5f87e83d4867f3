"""Selecting the blend of an ensemble on validation rows, and measuring what each member adds.

A blend is fitted on the validation rows, so its validation metrics use out-of-fold predictions: each row is
blended by a stacker that was fitted to the other folds. Its test metrics use the stacker of all folds.
Without validation rows the blend is the mean, and the member to compare with is the best on test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from movielens_recsys.arrays import F64
from movielens_recsys.data.splits.split import HeldOutPart, Split
from movielens_recsys.ensembles.predictions import Predictions
from movielens_recsys.ensembles.store import BlendChoice
from movielens_recsys.errors import UsageError
from movielens_recsys.evaluation.bootstrap import PairedDifference, paired_difference
from movielens_recsys.evaluation.config import EvaluationConfig
from movielens_recsys.evaluation.per_user import PerUserMetrics
from movielens_recsys.evaluation.rating_metrics import rating_aggregates, root_mean_squared_error
from movielens_recsys.models.ensemble.config import BlendName
from movielens_recsys.models.ensemble.meta_features import MetaFeatures
from movielens_recsys.models.ensemble.stacking import Stacker, fit_stacker, out_of_fold

BLENDS: tuple[BlendName, ...] = ("mean", "ridge", "gbm")


@dataclass(frozen=True)
class MemberContribution:
    """A member's own RMSE, and that of the ensemble without it, by part.

    ``adds`` is the RMSE of the ensemble minus that of the ensemble without the member, over the same users:
    below zero, the member helps. ``same_as`` is an earlier member that predicts the same ratings, if there is
    one: neither changes then what the other adds.
    """

    run: str
    weight: float
    rmse: Mapping[HeldOutPart, float]
    without: Mapping[HeldOutPart, float]
    adds: Mapping[HeldOutPart, PairedDifference]
    same_as: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, ``same_as`` only where there is such a member."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class BlendResult:
    """The selected blend and its metrics.

    Attributes
    ----------
    blend, fitted
        Its name, and the stacker that was fitted to all validation rows.
    rmse
        RMSE of each blend that was candidates, by part; on validation out of fold.
    best_member
        The id of the member with the lowest RMSE on validation (on test, if there is no validation part).
    against_best
        The ensemble compared with that member, by part.
    """

    blend: BlendName
    fitted: Stacker
    meta_features: MetaFeatures
    predicted: Mapping[HeldOutPart, F64]
    rmse: Mapping[BlendName, Mapping[HeldOutPart, float]]
    members: tuple[MemberContribution, ...]
    best_member: str
    against_best: Mapping[HeldOutPart, PairedDifference]

    def to_json(self) -> dict[str, Any]:
        """Return the metrics as plain JSON values."""
        return {
            "blend": self.blend,
            "blends": {name: dict(values) for name, values in self.rmse.items()},
            "members": [member.to_json() for member in self.members],
            "best_member": self.best_member,
            "against_best": {part: asdict(difference) for part, difference in self.against_best.items()},
        }


class BlendFitter:
    """Fits blends to the members' predictions of the held-out rows, and measures them."""

    def __init__(
        self, predictions: Mapping[str, Predictions], split: Split, evaluation: EvaluationConfig
    ) -> None:
        self.ids, self._split, self._evaluation = list(predictions), split, evaluation
        self.meta_features = MetaFeatures.of(split.part("train"))
        self.parts: list[HeldOutPart] = ["validation", "test"] if len(split.validation) else ["test"]
        self._rows = {part: split.part(part) for part in self.parts}
        self._pair_features = {
            part: self.meta_features.pairs(rows.users, rows.items) for part, rows in self._rows.items()
        }
        self._predictions = {
            part: np.column_stack([member.of(part) for member in predictions.values()]).astype(np.float64)
            for part in self.parts
        }

    def choose(self, choice: BlendChoice) -> dict[BlendName, dict[HeldOutPart, F64]]:
        """Return the predictions of each blend that ``choice`` allows, the best on validation first.

        Raises
        ------
        UsageError
            There are no validation rows to fit and select on.
        """
        if "validation" not in self.parts and choice != "mean":
            raise UsageError(
                f"the split has no validation rows for the blend {choice!r}",
                expected="validation rows to fit it and select on",
                next_step="use --blend mean, or members on a split with a validation share",
            )
        names = BLENDS if choice == "auto" else (choice,)
        candidates = {name: self.blended(name) for name in names}
        if len(candidates) == 1:
            return candidates
        return dict(
            sorted(candidates.items(), key=lambda item: self.rmse("validation", item[1]["validation"]))
        )

    def fit(self, name: BlendName, members: Sequence[int] | None = None) -> Stacker:
        """Fit a blend of all members, or of some, to all validation rows; the mean needs none."""
        part: HeldOutPart = self.parts[0]
        inputs = self._predictions[part][:, members] if members else self._predictions[part]
        seed, star = self._evaluation.seed, self._split.ratings.scale.star
        return fit_stacker(name, inputs, self._pair_features[part], self._ratings(part), seed, star=star)

    def blended(self, name: BlendName, members: Sequence[int] | None = None) -> dict[HeldOutPart, F64]:
        """Return a blend's predictions by part: out of fold on validation, by the full fit on test."""
        stacker = self.fit(name, members)
        blended: dict[HeldOutPart, F64] = {}
        for part in self.parts:
            inputs = self._predictions[part][:, members] if members else self._predictions[part]
            if part == "validation":
                ratings, seed = self._ratings(part), self._evaluation.seed
                star = self._split.ratings.scale.star
                predicted = out_of_fold(name, inputs, self._pair_features[part], ratings, seed, star=star)
            else:
                predicted = stacker.predict(inputs, self._pair_features[part])
            scale = self._split.ratings.scale
            blended[part] = np.clip(predicted, scale.minimum, scale.maximum)
        return blended

    def alone(self, member: int) -> dict[HeldOutPart, F64]:
        """Return the predictions of one member alone."""
        return {part: self._predictions[part][:, member] for part in self.parts}

    def rmse(self, part: HeldOutPart, predicted: F64) -> float:
        """Return the RMSE of predictions of a part's rows."""
        return root_mean_squared_error(predicted, self._ratings(part))

    def compare(
        self, first: Mapping[HeldOutPart, F64], second: Mapping[HeldOutPart, F64]
    ) -> dict[HeldOutPart, PairedDifference]:
        """Compare two sets of predictions by RMSE, with intervals over users."""
        return {
            part: paired_difference(
                self._per_user(part, first[part]),
                self._per_user(part, second[part]),
                confidence=self._evaluation.confidence,
                samples=self._evaluation.bootstrap_samples,
                seed=self._evaluation.seed,
            )
            for part in self.parts
        }

    def _per_user(self, part: HeldOutPart, predicted: F64) -> PerUserMetrics:
        rows, split = self._rows[part], self._split
        users, user_position = np.unique(rows.users, return_inverse=True)
        return PerUserMetrics(
            data_hash=split.ratings.content_hash,
            split_hash=split.hash,
            part=part,
            k=self._evaluation.k,
            relevance_threshold=self._evaluation.threshold_on(split.ratings.scale),
            users=users.astype(np.int64),
            aggregates=rating_aggregates(
                user_position, rows.ratings, predicted, split.ratings.scale, len(users)
            ),
            catalogue_metrics={},
        )

    def _ratings(self, part: HeldOutPart) -> F64:
        return self._rows[part].ratings.astype(np.float64)


def select_blend(
    predictions: Mapping[str, Predictions], split: Split, evaluation: EvaluationConfig, choice: BlendChoice
) -> BlendResult:
    """Select a blend of the members' predictions, and measure it and what each member adds.

    Raises
    ------
    UsageError
        The split has no validation rows and ``choice`` needs them.
    """
    fitter = BlendFitter(predictions, split, evaluation)
    candidates = fitter.choose(choice)
    name, predicted = next(iter(candidates.items()))
    rmse = {blend: _rmse_by_part(fitter, values) for blend, values in candidates.items()}
    fitted = fitter.fit(name)
    alone = [fitter.alone(number) for number in range(len(fitter.ids))]
    own_rmse = [_rmse_by_part(fitter, values) for values in alone]
    best = min(range(len(own_rmse)), key=lambda number: own_rmse[number][fitter.parts[0]])
    members = []
    for number, run_id in enumerate(fitter.ids):
        without = fitter.blended(name, [other for other in range(len(fitter.ids)) if other != number])
        members.append(
            MemberContribution(
                run_id,
                float(fitted.weights[number]),
                own_rmse[number],
                _rmse_by_part(fitter, without),
                fitter.compare(predicted, without),
                next((fitter.ids[n] for n in range(number) if _are_equal(alone[n], alone[number])), None),
            )
        )
    return BlendResult(
        name,
        fitted,
        fitter.meta_features,
        predicted,
        rmse,
        tuple(members),
        fitter.ids[best],
        fitter.compare(predicted, alone[best]),
    )


def _are_equal(first: Mapping[HeldOutPart, F64], second: Mapping[HeldOutPart, F64]) -> bool:
    return all(np.array_equal(first[part], second[part]) for part in first)


def _rmse_by_part(fitter: BlendFitter, predicted: Mapping[HeldOutPart, F64]) -> dict[HeldOutPart, float]:
    return {part: fitter.rmse(part, values) for part, values in predicted.items()}
