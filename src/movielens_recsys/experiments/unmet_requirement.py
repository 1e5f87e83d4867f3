"""A requirement that a configuration does not meet, and the words of the change that would meet it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from movielens_recsys.errors import ConfigError

Change = Callable[[str, Any], str]
"""Words the next step that sets a key of the configuration to a value."""


def set_at_creation(key: str, value: Any) -> str:
    """Return the next step of who is about to create an experiment."""
    return f"set {key}, for example {set_option(key, value)}"


def set_in_clone(run_id: str) -> Change:
    """Return the words for a run, whose configuration never changes: a copy with another value."""
    return lambda key, value: (
        f"run a copy: `recsys experiment clone {run_id} NEW_NAME {set_option(key, value)}`"
    )


def set_in_evaluation(run_id: str) -> Change:
    """Return the words for a run that is trained, whose evaluation may still change."""
    return lambda key, value: f"`recsys experiment evaluate {run_id} {set_option(key, value)}`"


def set_option(key: str, value: Any) -> str:
    """Return the option of ``recsys`` that sets a key.

    >>> set_option("evaluation.k", 5), set_option("split.protocol", "random")
    ('--set evaluation.k=5', '--set split.protocol=random')
    """
    return f"--set {key}={value if isinstance(value, str) else json.dumps(value)}"


@dataclass(frozen=True, slots=True)
class UnmetRequirement:
    """A requirement that is not met: what was found and expected, the key to change and a value that fits.

    ``advice`` is the next step where no key of the configuration helps.
    """

    found: str
    expected: str
    key: str = ""
    value: Any = None
    advice: str = ""

    def error(self, change: Change) -> ConfigError:
        """Return the error, with the next step in the words of ``change``."""
        next_step = self.advice or change(self.key, self.value)
        return ConfigError(self.found, expected=self.expected, next_step=next_step)
