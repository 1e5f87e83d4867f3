"""`recsys notify`: test the webhook, and deliver the pending messages of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from movielens_recsys.cli.arguments import Id, find_run
from movielens_recsys.cli.notifications import NO_WEBHOOK, SHORT_PATIENCE_S
from movielens_recsys.cli.output import Json, console, echo, emit
from movielens_recsys.cli.usage import CommandGroup
from movielens_recsys.errors import UsageError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from movielens_recsys.settings import Settings

app = typer.Typer(help="Notifications about runs, in a Discord channel.", cls=CommandGroup)


@app.command("test")
def send_test(json: Json = False) -> None:
    """Send a test message to the webhook of DISCORD_WEBHOOK_URL."""
    from datetime import UTC, datetime

    from movielens_recsys.notify.discord import DiscordChannel
    from movielens_recsys.notify.messages import Kind, Message
    from movielens_recsys.settings import load_settings

    channel = DiscordChannel(_webhook(load_settings()), patience_s=SHORT_PATIENCE_S)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    text = "Notifications about your runs will arrive in this channel."
    started = time.monotonic()
    channel.send([Message("recsys", 0, now, Kind.TEST, "A test", text)])
    seconds = round(time.monotonic() - started, 3)
    emit(
        {"delivered": True, "seconds": seconds},
        as_json=json,
        render=lambda: console.print(f"Discord accepted the message in {seconds:.1f} s", highlight=False),
    )


@app.command()
def deliver(
    id: Id,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the messages here, and send nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Send the undelivered messages of a run, in order."""
    from movielens_recsys.runs import store
    from movielens_recsys.settings import load_settings

    settings = load_settings()
    run_id = find_run(id, settings)
    folder = store.run_folder(run_id, settings)
    if dry_run:
        from dataclasses import asdict

        from movielens_recsys.notify.messages import collapse_bests
        from movielens_recsys.notify.outbox import undelivered
        from movielens_recsys.notify.text import as_text

        pending = collapse_bests(undelivered(folder))
        texts = "\n\n".join(map(as_text, pending)) or f"every message of {run_id} is delivered"
        emit(
            {"id": run_id, "waiting": [asdict(message) for message in pending]},
            as_json=json,
            render=lambda: echo(texts),
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


def _webhook(settings: Settings) -> SecretStr:
    webhook = settings.webhook()
    if webhook is None:
        raise UsageError(
            NO_WEBHOOK,
            expected="the address of one in DISCORD_WEBHOOK_URL, or in a file named by DISCORD_WEBHOOK_FILE",
            next_step="create one in a Discord channel's settings: Integrations, Webhooks",
        )
    return webhook
