"""Messages as text, for a terminal."""

from __future__ import annotations

from movielens_recsys.notify.messages import Message


def as_text(message: Message) -> str:
    """Return the message as indented lines."""
    lines = [f"{message.run_id}: {message.title}"]
    if message.text:
        lines.append(f"  {message.text}")
    width = max((len(name) for name, _ in message.fields), default=0)
    lines += [f"  {name:{width}}  {value}" for name, value in message.fields]
    lines += [f"  next: {command}" for command in message.commands]
    return "\n".join(lines)
