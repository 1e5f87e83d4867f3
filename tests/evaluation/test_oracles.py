"""The ranking metrics of a whole evaluation against ir-measures (trec_eval) and ranx.

Both divide average precision by all relevant items where we divide by min(k, relevant): the comparison
of MAP undoes that. Every other metric must agree as it is.
"""

import json
import os
import subprocess
import sys

import ir_measures
import numpy as np
import pytest

from movielens_recsys.evaluation.candidates import HeldOut, rank_top_k
from movielens_recsys.evaluation.per_user import ranking_aggregates

K = 10
PROTOCOLS = ("full", "rated")
METRICS = ("precision", "recall", "ndcg", "map", "mrr", "hit_rate")
RANX = """
import json, sys, warnings
warnings.simplefilter("ignore")
import ranx
names = ["precision@10", "recall@10", "ndcg@10", "map@10", "mrr@10", "hit_rate@10"]
answers = {}
for protocol, case in json.load(sys.stdin).items():
    qrels, run = ranx.Qrels(case["qrels"]), ranx.Run(case["run"])
    ranx.evaluate(qrels, run, names)
    scores = {name.split("@")[0]: {u: float(v) for u, v in run.scores[name].items()} for name in names}
    answers[protocol] = scores
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def cases(split, recommender):
    """Return by protocol our per-user metrics, and the same rankings as qrels and run in TREC's format."""
    return {protocol: measure(protocol, split, recommender) for protocol in PROTOCOLS}


def measure(protocol, split, recommender):
    held_out = HeldOut.of(split, "test", 4.0)
    aggregates = ranking_aggregates(
        protocol, rank_top_k(recommender, held_out, K, (protocol,), seed=0)[protocol], held_out
    )
    qrels, run = {}, {}
    for position in np.flatnonzero(held_out.n_relevant):
        user, own = held_out.users[position], held_out.user_position == position
        seen = set(held_out.train[user].indices)
        candidates = range(held_out.n_items) if protocol == "full" else held_out.items[own]
        run[str(user)] = {
            str(i): float(recommender.matrix[user, i])
            for i in candidates
            if protocol == "rated" or i not in seen
        }
        qrels[str(user)] = {str(i): 1 for i in held_out.items[own & held_out.relevant]}
    position_of = {str(user): position for position, user in enumerate(held_out.users)}
    ours = {
        metric: {user: aggregates[f"{protocol}:{metric}"][position_of[user]] for user in qrels}
        for metric in METRICS
    }
    divided_by_all = {user: min(K, len(items)) / len(items) for user, items in qrels.items()}
    ours["map"] = {user: value * divided_by_all[user] for user, value in ours["map"].items()}
    return ours, qrels, run


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_ir_measures(cases, protocol):
    ours, qrels, run = cases[protocol]
    names = {
        "precision": ir_measures.P @ K,
        "recall": ir_measures.R @ K,
        "ndcg": ir_measures.nDCG @ K,
        "map": ir_measures.AP @ K,
        "mrr": ir_measures.RR @ K,
        "hit_rate": ir_measures.Success @ K,
    }
    theirs = {
        (str(value.measure), value.query_id): value.value
        for value in ir_measures.iter_calc(list(names.values()), qrels, run)
    }
    for metric, measure in names.items():
        for user, value in ours[metric].items():
            assert value == pytest.approx(theirs[str(measure), user], abs=1e-9), (metric, user)


@pytest.fixture(scope="module")
def ranx_scores(cases):
    """Return ranx's scores by protocol, from one interpreter of its own, where numba compiles nothing."""
    answer = subprocess.run(
        [sys.executable, "-c", RANX],
        input=json.dumps({name: {"qrels": qrels, "run": run} for name, (_, qrels, run) in cases.items()}),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_ranx(cases, ranx_scores, protocol):
    ours, theirs = cases[protocol][0], ranx_scores[protocol]
    for metric in METRICS:
        assert ours[metric] == pytest.approx(theirs[metric], abs=1e-9), metric
