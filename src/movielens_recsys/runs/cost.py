"""What a run costs: the hours of all its attempts times its price, held against its cap."""

from __future__ import annotations

from datetime import timedelta

from movielens_recsys.errors import CapReachedError, ExperimentError, UsageError
from movielens_recsys.runs.config import Resources
from movielens_recsys.runs.run import Run
from movielens_recsys.runs.runtime import RuntimeMeter


class CostGuard:
    """What a run that goes has spent, by its meter; asked after every optimiser step."""

    def __init__(self, run: Run, meter: RuntimeMeter) -> None:
        self._run, self._meter = run, meter

    @property
    def at_cap(self) -> bool:
        """Whether to stop now."""
        self._run.seconds = self._meter.seconds
        return self._run.at_cap

    def check(self) -> None:
        """Stop the run if it has reached its cap.

        Raises
        ------
        CapReachedError
            It has.
        """
        if self.at_cap:
            raise cap_reached(self._run)


def apply_cap(run: Run, cap_usd: float | None) -> None:
    """Give ``run`` the cap that it goes on under: its own, or ``cap_usd`` in its place.

    Raises
    ------
    ConfigError
        ``cap_usd`` is no amount that can be spent.
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
        return
    run.cap_usd = Resources.parse({"cap_usd": cap_usd}).cap_usd
    if run.price_usd_per_hour == 0:
        raise ExperimentError(
            f"experiment {run.id} runs at $0 an hour, where no cap applies", next_step="leave --cap-usd out"
        )
    if run.at_cap:
        cap, spent = format_usd(cap_usd), format_usd(run.spent_usd)
        raise UsageError(
            f"a cap of {cap} for experiment {run.id}, which has spent {spent}",
            expected="more than that",
            next_step=f"for example --cap-usd {_higher(run):.6g}",
        )


def cap_reached(run: Run) -> CapReachedError:
    """Return the error that says so, and how to go on."""
    spent, cap = format_usd(run.spent_usd), format_usd(run.cap_usd)
    return CapReachedError(
        f"experiment {run.id} has spent {spent} of its cap of {cap}, and is saved",
        next_step=f"go on under a higher cap: {resume_command(run)}",
    )


def resume_command(run: Run) -> str:
    """Return what to type to go on with a run; at its cap, with a higher one."""
    higher = f" --cap-usd {_higher(run):.6g}" if run.at_cap else ""
    return f"recsys experiment resume {run.id}{higher}"


def _higher(run: Run) -> float:
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
    """Return in words what was spent, on what, and what each point of RMSE has cost."""
    time = timedelta(seconds=round(run.seconds))
    if run.price_usd_per_hour == 0:
        return f"$0 (own machine) for {time}"
    price, cap = format_usd(run.price_usd_per_hour), format_usd(run.cap_usd)
    spent = f"{format_usd(run.spent_usd)} for {time} at {price} an hour, cap {cap}"
    if run.bias_val_rmse is None or "val_rmse" not in run.figures:
        return spent
    bias = f"user+item bias (val_rmse {run.bias_val_rmse:.4f})"
    if run.usd_per_rmse_point is None:
        return f"{spent}; not below {bias}"
    return f"{spent}; {format_usd(run.usd_per_rmse_point)} for each 0.01 stars below {bias}"
