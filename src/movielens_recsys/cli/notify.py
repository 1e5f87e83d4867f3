"""`recsys notify`: try the webhook, deliver what waits; and telling how a run goes while it runs."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli.arguments import Id
from movielens_recsys.cli.output import Json, console, emit, warn
from movielens_recsys.errors import RecsysError, UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from movielens_recsys.settings import Settings

app = typer.Typer(help="Be told how runs go.", no_args_is_help=True)

SHORT_PATIENCE_S = 10.0
LONG_PATIENCE_S = 3600.0
_UNSET = "no webhook is set, so nobody will be told"


@app.command("test")
def send_test(json: Json = False) -> None:
    """Send one message to the webhook of DISCORD_WEBHOOK_URL, and say what happened."""
    from datetime import UTC, datetime

    from movielens_recsys.notify.discord import DiscordChannel
    from movielens_recsys.notify.messages import Kind, Message
    from movielens_recsys.settings import load_settings

    channel = DiscordChannel(_webhook(load_settings()), patience_s=SHORT_PATIENCE_S)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    text = "If you read this, you will be told how your runs go."
    started = time.monotonic()
    channel.send([Message("recsys", 0, moment, Kind.TEST, "A test", text)])
    seconds = round(time.monotonic() - started, 3)
    emit(
        {"delivered": True, "seconds": seconds},
        as_json=json,
        render=lambda: console.print(f"Discord took the message in {seconds:.1f} s", highlight=False),
    )


@app.command()
def deliver(
    id: Id,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent here, and send nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Send what has not been delivered of a run, in order."""
    from movielens_recsys.runs import store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = store.find_run(id, settings)
    folder = store.run_folder(run_id, settings)
    if dry_run:
        from dataclasses import asdict

        from movielens_recsys.notify.messages import collapse_bests
        from movielens_recsys.notify.outbox import undelivered
        from movielens_recsys.notify.text import as_text

        waiting = collapse_bests(undelivered(folder))
        texts = "\n\n".join(map(as_text, waiting)) or f"every message of {run_id} is delivered"
        emit(
            {"id": run_id, "waiting": [asdict(message) for message in waiting]},
            as_json=json,
            render=lambda: typer.echo(texts),
        )
        return
    from movielens_recsys.notify import delivery
    from movielens_recsys.notify.discord import DiscordChannel

    count = delivery.deliver(folder, DiscordChannel(_webhook(settings)))
    emit(
        {"id": run_id, "delivered": count},
        as_json=json,
        render=lambda: console.print(f"messages delivered of {run_id}: {count}", highlight=False),
    )


def notifications_for(run_id: str, settings: Settings) -> AbstractContextManager[object]:
    """Return what tells how a run goes while it is entered: nothing, if no webhook is set.

    Whatever is wrong with the webhook costs a warning and never the run.
    """
    try:
        webhook = settings.webhook()
        if webhook is None:
            return nullcontext()
        from movielens_recsys.notify.delivery import LiveDelivery
        from movielens_recsys.notify.discord import DiscordChannel, check_address

        check_address(webhook)
    except RecsysError as exc:
        warn(f"nobody will be told: {exc}")
        return nullcontext()

    return LiveDelivery(
        settings.runs / run_id,
        lambda wait: DiscordChannel(webhook, wait=wait),
        warn,
    )


def warn_if_no_webhook(settings: Settings) -> None:
    """Say so if no webhook is set; one that cannot be used is said by `notifications_for`."""
    with suppress(RecsysError):
        if settings.webhook() is None:
            warn(f"{_UNSET}; set DISCORD_WEBHOOK_URL to change that")


def deliver_remaining(run_id: str, settings: Settings, *, patient: bool) -> None:
    """Deliver, after a run's end, what its own process could not; what is wrong costs a warning.

    ``patient`` waits for Discord up to an hour, where nobody waits for us.
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


def _webhook(settings: Settings) -> SecretStr:
    webhook = settings.webhook()
    if webhook is None:
        raise UsageError(
            _UNSET,
            expected="its address in DISCORD_WEBHOOK_URL, or in a file named by DISCORD_WEBHOOK_FILE",
            next_step="make one in a Discord channel's settings: Integrations, Webhooks",
        )
    return webhook
