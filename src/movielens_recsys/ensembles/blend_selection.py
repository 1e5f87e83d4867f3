"""Judging an ensemble: which blend, how good it is, and what each member adds; nothing is chosen on test.

A blend is fitted on the validation rows, so its validation figures are of predictions that are out of fold:
each row is blended by what was fitted to the other folds. Its test figures are of the blend of all of them.
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
from movielens_recsys.evaluation.rating import rating_aggregates, root_mean_squared_error
from movielens_recsys.models.ensemble.config import BlendName
from movielens_recsys.models.ensemble.meta_features import MetaFeatures
from movielens_recsys.models.ensemble.stacking import Stacker, fit_stacker, out_of_fold

BLENDS: tuple[BlendName, ...] = ("mean", "ridge", "gbm")


@dataclass(frozen=True)
class MemberContribution:
    """What a member is alone, and what the ensemble would be without it, by part.

    ``adds`` is the RMSE of the ensemble minus that of the ensemble without the member, over the same users:
    below zero, the member helps.
    """

    run: str
    weight: float
    rmse: Mapping[HeldOutPart, float]
    without: Mapping[HeldOutPart, float]
    adds: Mapping[HeldOutPart, PairedDifference]


@dataclass(frozen=True)
class BlendResult:
    """The chosen blend and its figures.

    Attributes
    ----------
    blend, fitted
        Its name, and what was fitted to all validation rows.
    rmse
        RMSE of each blend that was tried, by part; on validation out of fold.
    best_member
        The id of the member with the lowest RMSE on validation (on test, if there is no validation part).
    against_best
        The ensemble held against that member, by part.
    """

    blend: BlendName
    fitted: Stacker
    traits: MetaFeatures
    predicted: Mapping[HeldOutPart, F64]
    rmse: Mapping[BlendName, Mapping[HeldOutPart, float]]
    members: tuple[MemberContribution, ...]
    best_member: str
    against_best: Mapping[HeldOutPart, PairedDifference]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "blend": self.blend,
            "blends": {name: dict(values) for name, values in self.rmse.items()},
            "members": [asdict(member) for member in self.members],
            "best_member": self.best_member,
            "against_best": {part: asdict(verdict) for part, verdict in self.against_best.items()},
        }


class BlendFitter:
    """The members' predictions of the held-out rows with all that blends are fitted to and judged by."""

    def __init__(
        self, predictions: Mapping[str, Predictions], split: Split, evaluation: EvaluationConfig
    ) -> None:
        self.ids, self._split, self._evaluation = list(predictions), split, evaluation
        self.traits = MetaFeatures.of(split.part("train"))
        self.parts: list[HeldOutPart] = ["validation", "test"] if len(split.validation) else ["test"]
        self._rows = {part: split.part(part) for part in self.parts}
        self._pairs = {part: self.traits.pairs(rows.users, rows.items) for part, rows in self._rows.items()}
        self._predictions = {
            part: np.column_stack([one.of(part) for one in predictions.values()]).astype(np.float64)
            for part in self.parts
        }

    def choose(self, choice: BlendChoice) -> dict[BlendName, dict[HeldOutPart, F64]]:
        """Return what each blend that ``choice`` leaves predicts, the best on validation first.

        Raises
        ------
        UsageError
            There are no validation rows to fit or choose by.
        """
        if "validation" not in self.parts and choice != "mean":
            raise UsageError(
                f"the split has no validation rows for the blend {choice!r}",
                expected="some, to fit it on and to choose by",
                next_step="use --blend mean, or members on a split with a validation share",
            )
        names = BLENDS if choice == "auto" else (choice,)
        tried = {name: self.blended(name) for name in names}
        if len(tried) == 1:
            return tried
        return dict(sorted(tried.items(), key=lambda item: self.rmse("validation", item[1]["validation"])))

    def fit(self, name: BlendName, members: Sequence[int] | None = None) -> Stacker:
        """Fit a blend of all members, or some, to all validation rows; the mean needs none."""
        part: HeldOutPart = self.parts[0]
        chosen = self._predictions[part][:, members] if members else self._predictions[part]
        return fit_stacker(name, chosen, self._pairs[part], self._stars(part), self._evaluation.seed)

    def blended(self, name: BlendName, members: Sequence[int] | None = None) -> dict[HeldOutPart, F64]:
        """Return a blend's predictions by part: out of fold on validation, of the whole fit on test."""
        blend, blended = self.fit(name, members), {}
        for part in self.parts:
            chosen = self._predictions[part][:, members] if members else self._predictions[part]
            if part == "validation":
                stars, seed = self._stars(part), self._evaluation.seed
                answer = out_of_fold(name, chosen, self._pairs[part], stars, seed)
            else:
                answer = blend.predict(chosen, self._pairs[part])
            scale = self._split.ratings.scale
            blended[part] = np.clip(answer, scale.minimum, scale.maximum)
        return blended

    def alone(self, member: int) -> dict[HeldOutPart, F64]:
        """Return one member's own predictions."""
        return {part: self._predictions[part][:, member] for part in self.parts}

    def rmse(self, part: HeldOutPart, predicted: F64) -> float:
        """Return the RMSE of predictions of a part's rows."""
        return root_mean_squared_error(predicted, self._stars(part))

    def compare(
        self, ours: Mapping[HeldOutPart, F64], theirs: Mapping[HeldOutPart, F64]
    ) -> dict[HeldOutPart, PairedDifference]:
        """Hold two sets of predictions against each other, with intervals over users."""
        return {
            part: paired_difference(
                self._per_user(part, ours[part]),
                self._per_user(part, theirs[part]),
                confidence=self._evaluation.confidence,
                samples=self._evaluation.bootstrap_samples,
                seed=self._evaluation.seed,
            )
            for part in self.parts
        }

    def _per_user(self, part: HeldOutPart, predicted: F64) -> PerUserMetrics:
        rows, split = self._rows[part], self._split
        users, owner = np.unique(rows.users, return_inverse=True)
        return PerUserMetrics(
            data_hash=split.ratings.content_hash,
            split_hash=split.hash,
            part=part,
            k=self._evaluation.k,
            relevance_threshold=self._evaluation.relevance_threshold,
            users=users.astype(np.int64),
            aggregates=rating_aggregates(owner, rows.ratings, predicted, split.ratings.scale, len(users)),
            catalogue_metrics={},
        )

    def _stars(self, part: HeldOutPart) -> F64:
        return self._rows[part].ratings.astype(np.float64)


def select_blend(
    predictions: Mapping[str, Predictions], split: Split, evaluation: EvaluationConfig, choice: BlendChoice
) -> BlendResult:
    """Choose a blend of members' predictions, by run, and measure it and what each member adds.

    Raises
    ------
    UsageError
        The split has no validation rows and ``choice`` needs them.
    """
    blender = BlendFitter(predictions, split, evaluation)
    tried = blender.choose(choice)
    name, predicted = next(iter(tried.items()))
    rmse = {blend: _by_part(blender, values) for blend, values in tried.items()}
    fitted = blender.fit(name)
    alone = [blender.alone(number) for number in range(len(blender.ids))]
    own = [_by_part(blender, values) for values in alone]
    best = min(range(len(own)), key=lambda number: own[number][blender.parts[0]])
    members = []
    for number, run_id in enumerate(blender.ids):
        without = blender.blended(name, [other for other in range(len(blender.ids)) if other != number])
        members.append(
            MemberContribution(
                run_id,
                float(fitted.weights[number]),
                own[number],
                _by_part(blender, without),
                blender.compare(predicted, without),
            )
        )
    return BlendResult(
        name,
        fitted,
        blender.traits,
        predicted,
        rmse,
        tuple(members),
        blender.ids[best],
        blender.compare(predicted, alone[best]),
    )


def _by_part(blender: BlendFitter, predicted: Mapping[HeldOutPart, F64]) -> dict[HeldOutPart, float]:
    return {part: blender.rmse(part, values) for part, values in predicted.items()}
