"""Cost of a run: the hours of all its attempts times its price, compared with its cap."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from movielens_recsys.errors import CapReachedError, ExperimentError, UsageError
from movielens_recsys.runs.config import Resources
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.runtime import RuntimeMeter


class CostGuard:
    """Checks the spending of a run under way after every optimiser step.

    Attributes
    ----------
    run
        The run with the time that its meter had counted at the last check.
    """

    def __init__(self, run: Run, meter: RuntimeMeter) -> None:
        self.run, self._meter = run, meter

    @property
    def at_cap(self) -> bool:
        """Whether to stop now."""
        self.run = replace(self.run, seconds=self._meter.seconds)
        return self.run.at_cap

    def check(self) -> None:
        """Stop the run if it has reached its cap.

        Raises
        ------
        CapReachedError
            The run has spent its cap.
        """
        if self.at_cap:
            raise cap_reached(self.run)


def apply_cap(run: Run, cap_usd: float | None) -> Run:
    """Return ``run`` under the cap that it continues with: its own, or ``cap_usd`` instead.

    Raises
    ------
    ConfigError
        ``cap_usd`` is no valid amount.
    ExperimentError
        The run costs nothing, so that no cap applies.
    CapReachedError
        The run has spent its own cap, and no higher one is given.
    UsageError
        The run has spent ``cap_usd`` already.
    """
    if cap_usd is None:
        if run.at_cap:
            raise cap_reached(run)
        return run
    run = replace(run, cap_usd=Resources.parse({"cap_usd": cap_usd}).cap_usd)
    if run.price_usd_per_hour == 0:
        raise ExperimentError(
            f"experiment {run.id} runs at $0 an hour, where no cap applies", next_step="leave --cap-usd out"
        )
    if run.at_cap:
        cap, spent = format_usd(cap_usd), format_usd(run.spent_usd)
        raise UsageError(
            f"a cap of {cap} for experiment {run.id}, which has spent {spent}",
            expected="more than that",
            next_step=f"for example --cap-usd {_higher_cap(run):.6g}",
        )
    return run


def cap_reached(run: Run) -> CapReachedError:
    """Return the error of a run that has spent its cap; it names the command to continue."""
    spent, cap = format_usd(run.spent_usd), format_usd(run.cap_usd)
    return CapReachedError(
        f"experiment {run.id} has spent {spent} of its cap of {cap}, and is saved",
        next_step=f"go on under a higher cap: {resume_command(run)}",
    )


def resume_command(run: Run) -> str:
    """Return the command that resumes a run; at its cap, with a higher one."""
    higher = f" --cap-usd {_higher_cap(run):.6g}" if run.at_cap else ""
    return f"recsys experiment resume {run.id}{higher}"


def _higher_cap(run: Run) -> float:
    return max(1.5 * run.cap_usd, 1.2 * run.spent_usd)


def format_usd(amount: float | None) -> str:
    """Return an amount with cents, or with hundredths of them below ten.

    >>> [format_usd(amount) for amount in (0, 0.00314, 3.14159, 3141.59, None)]
    ['$0', '$0.0031', '$3.14', '$3,141.59', '–']
    """
    if amount is None:
        return "–"
    if amount == 0:
        return "$0"
    return f"${amount:,.2f}" if amount >= 0.1 else f"${amount:.4f}"


def describe_cost(run: Run) -> str:
    """Return in words the amount spent, the time and price, and the cost of each point of RMSE."""
    time = timedelta(seconds=round(run.seconds))
    if run.price_usd_per_hour == 0:
        return f"$0 (own machine) for {time}"
    price, cap = format_usd(run.price_usd_per_hour), format_usd(run.cap_usd)
    spent = f"{format_usd(run.spent_usd)} for {time} at {price} an hour, cap {cap}"
    if run.bias_val_rmse is None or "val_rmse" not in run.metrics:
        return spent
    bias = f"user+item bias (val_rmse {run.bias_val_rmse:.4f})"
    if run.usd_per_rmse_point is None:
        return f"{spent}; not below {bias}"
    return f"{spent}; {format_usd(run.usd_per_rmse_point)} for each 0.01 of RMSE below {bias}"
