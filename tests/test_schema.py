"""Shared values: findings print and survive JSON, and only three states are final."""

from __future__ import annotations

import json

from movielens_recsys.schema import Finding, RunState, Severity


def test_a_finding_survives_json():
    finding = Finding("density", 0.063, None, Severity.INFO, "a thin table")
    assert Finding.from_json(json.loads(json.dumps(finding.to_json()))) == finding


def test_a_finding_prints_its_value_threshold_and_advice():
    assert str(Finding("drift", 0.31234, 0.25, Severity.WARNING, "look")) == "drift 0.3123 against 0.25: look"
    assert str(Finding("density", 2, None, Severity.INFO, "fine")) == "density 2: fine"


def test_final_states():
    assert [state.value for state in RunState if state.finished] == ["completed", "failed", "archived"]
