"""Notifications about a run while it goes on and after its end; a problem with them never stops the run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING

from movielens_recsys.cli.output import warn
from movielens_recsys.errors import RecsysError

if TYPE_CHECKING:
    from movielens_recsys.settings import Settings

SHORT_PATIENCE_S = 10.0
LONG_PATIENCE_S = 3600.0
NO_WEBHOOK = "no webhook is set, so there are no notifications"


def notifications_for(run_id: str, settings: Settings) -> AbstractContextManager[object]:
    """Return a context manager that sends notifications about a run; it does nothing if no webhook is set.

    An invalid webhook gives a warning and does not stop the run.
    """
    try:
        webhook = settings.webhook()
        if webhook is None:
            return nullcontext()
        from movielens_recsys.notify.delivery import LiveDelivery
        from movielens_recsys.notify.discord import DiscordChannel, check_address

        check_address(webhook)
    except RecsysError as exc:
        warn(f"no notifications: {exc}")
        return nullcontext()

    return LiveDelivery(
        settings.runs / run_id,
        lambda wait: DiscordChannel(webhook, wait=wait),
        warn,
    )


def warn_if_no_webhook(settings: Settings) -> None:
    """Warn if no webhook is set; `notifications_for` warns of an invalid one."""
    with suppress(RecsysError):
        if settings.webhook() is None:
            warn(f"{NO_WEBHOOK}; to get them, set DISCORD_WEBHOOK_URL")


def deliver_remaining(run_id: str, settings: Settings, *, patient: bool) -> None:
    """Deliver the messages that a run's process did not deliver before its end; a failure gives a warning.

    ``patient`` retries for up to an hour, for processes without a waiting user.
    """
    from movielens_recsys.notify.delivery import deliver
    from movielens_recsys.notify.discord import DiscordChannel

    try:
        webhook = settings.webhook()
        if webhook is not None:
            patience_s = LONG_PATIENCE_S if patient else SHORT_PATIENCE_S
            deliver(settings.runs / run_id, DiscordChannel(webhook, patience_s=patience_s))
    except RecsysError as exc:
        warn(f"not every message was delivered: {exc}; later: recsys notify deliver {run_id}")
