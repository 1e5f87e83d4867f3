"""The bench models by name, and those that the package includes."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement

from movielens_recsys.bench.config import (
    ALL_INPUTS,
    choose_models,
    choose_peers,
    known_bench_models,
    read_bench_models,
)
from movielens_recsys.bench.fingerprints import code_of_peer
from movielens_recsys.errors import ConfigError, UnknownNameError, UsageError
from movielens_recsys.experiments.templates import template_names

PEERS, OWN = known_bench_models()


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_has_its_script_and_exact_requirements(name):
    peer = PEERS[name]
    assert re.fullmatch("[0-9a-f]{64}", code_of_peer(peer))
    lines = [line for line in peer.requirements.read_text().splitlines() if not line.startswith("#")]
    exact = {Requirement(line).name: str(Requirement(line).specifier) for line in lines}
    free = {name for name, wanted in exact.items() if not wanted.startswith("==")}
    assert free <= {"torch", "setuptools"}
    if peer.config.passes:
        assert peer.settings("speed", 1)[peer.config.passes] > 0


def test_templates_that_do_not_exist_are_skipped():
    assert {model.template for model in OWN.values()} <= set(template_names())
    assert "user_item_bias" in OWN


def test_each_suite_has_its_peers_and_models():
    accuracy, lists = (
        {model.name for model in [*choose_models(suite, None, OWN, {}), *choose_peers(suite, None, PEERS)]}
        for suite in ("accuracy", "ranking")
    )
    assert {"myfm", "surprise_svdpp", "bayesian_mf"} <= accuracy
    assert {"implicit_als", "cornac_bivae", "popularity"} <= lists
    assert "implicit_als" not in accuracy


def test_large_data_and_the_suite_speed_have_their_settings():
    myfm = PEERS["myfm"]
    assert myfm.settings("accuracy", 100_000)["rank"] == 16
    assert myfm.settings("accuracy", 1_000_000)["rank"] == 32
    assert myfm.settings("speed", 1_000_000)["iterations"] == 20


def test_an_unlisted_template_has_all_inputs_and_a_modified_one_a_new_name():
    [model] = choose_models("accuracy", ["hybrid_vae_baseline"], OWN, {})
    assert model.config.inputs == ALL_INPUTS
    [changed] = choose_models("accuracy", ["bayesian_mf"], OWN, {"model": {"n_factors": 8}})
    assert changed.name == 'bayesian_mf {"model": {"n_factors": 8}}'
    assert changed.modifications("accuracy", 1)[-1] == {"model": {"n_factors": 8}}


def test_unknown_names_are_refused_and_none_means_none():
    assert choose_peers("accuracy", ["none"], PEERS) == []
    with pytest.raises(UnknownNameError, match="did you mean 'myfm'"):
        choose_peers("accuracy", ["myfn"], PEERS)
    with pytest.raises(UnknownNameError, match="unknown template"):
        choose_models("accuracy", ["no_such"], OWN, {})
    with pytest.raises(UsageError, match="implicit_als is not in the suite"):
        choose_peers("accuracy", ["implicit_als"], PEERS)


def test_a_further_file_adds_to_the_package(models_file):
    peers, own = known_bench_models(models_file)
    assert {"mean", "myfm"} <= set(peers)
    assert own == OWN


def test_a_wrong_file_is_refused(tmp_path):
    path = tmp_path / "peers.yaml"
    with pytest.raises(UsageError, match="No such file"):
        read_bench_models(path)
    path.write_text("peers: [")
    with pytest.raises(UsageError, match="line 1: no YAML"):
        read_bench_models(path)
    path.write_text("- a list")
    with pytest.raises(UsageError, match="expected a YAML file with peers or own"):
        read_bench_models(path)
    path.write_text("peers: {mine: {library: x, script: x.py, what: y, suites: [accuracy], setting: {}}}")
    with pytest.raises(ConfigError, match="did you mean 'settings'"):
        read_bench_models(path)
