"""Effect of each training technique on the validation RMSE, over seeds, into docs/results/DATA.md.

    python benchmarks/techniques.py [--data ml-1m] [--seeds 3] [--epochs 12] [--only NAME ...]

The template `quickstart` at a learning rate of 2e-3 for a fixed number of epochs, with and without one
technique at a time; random 80/10/10, split seed 0. The best epoch is chosen on validation, and the test part
is not read. A finished (technique, seed) is kept under --home and not trained again, so that the command can
be stopped and resumed. The difference to the plain training is paired by seed; its 95 % interval is Student's
t over the seeds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import movielens_recsys
from movielens_recsys.data.config import RandomSplit
from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.splits.split import Split, make_split
from movielens_recsys.experiments.overrides import config_from_template
from movielens_recsys.runs.provenance import code_version
from movielens_recsys.settings import load_settings
from movielens_recsys.training.fit import fit

PLAIN = "plain"
COSINE = {"shape": "cosine", "warmup_epochs": 1.0, "final_share": 0.02}
TECHNIQUES: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "KL annealing, linear over 6 epochs": {"kl_annealing": {"shape": "linear", "epochs": 6}},
    "KL annealing, cosine over 6 epochs": {"kl_annealing": {"shape": "cosine", "epochs": 6}},
    "KL annealing, 3 cycles": {"kl_annealing": {"shape": "cyclical", "epochs": 12, "cycles": 3}},
    "free bits, 0.25 nats a unit": {"free_bits": 0.25},
    "warm-up, 1 epoch": {"learning_rate_schedule": {"warmup_epochs": 1.0}},
    "learning rate: cosine, warm-up": {"learning_rate_schedule": COSINE},
    "learning rate: halved on a plateau of 2": {
        "learning_rate_schedule": {"shape": "plateau", "patience": 2}
    },
    "SWA over the last half": {"swa": {"start": 0.5, "learning_rate": 0.001}},
    "EMA, 0.999 a step": {"ema": {"decay": 0.999}},
    "micro-batches of 512": {"micro_batch_size": 512},
    "bf16": {"precision": "bf16"},
    "input noise 0.05": {"embedding_noise": 0.05},
    "label smoothing 0.05": {"label_smoothing": 0.05},
    "cosine, free bits and SWA": {
        "learning_rate_schedule": COSINE,
        "free_bits": 0.25,
        "swa": {"start": 0.5},
    },
}
START, END = "<!-- techniques -->\n", "<!-- end of techniques -->\n"


def main() -> None:
    """Train what is missing, print each result, then write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="ml-1m")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--only", nargs="+", choices=TECHNIQUES, default=list(TECHNIQUES))
    parser.add_argument("--home", type=Path, default=Path(".recsys/results"))
    parser.add_argument("--write", type=Path, default=Path("docs/results"))
    options = parser.parse_args()
    options.home.mkdir(parents=True, exist_ok=True)
    kept = options.home / f"techniques-{options.data}-{options.epochs}.jsonl"
    split = make_split(load_ratings(options.data, load_settings()), RandomSplit())
    done = _read(kept)
    for seed in range(options.seeds):
        for name in options.only:
            if (name, seed) not in done:
                done[name, seed] = train(name, seed, options.epochs, split)
                with kept.open("a") as file:
                    file.write(json.dumps({"name": name, "seed": seed, **done[name, seed]}) + "\n")
            print(f"{name}, seed {seed}: {done[name, seed]}", flush=True)
    path = options.write / f"{options.data}.md"
    _replace_section(path, section(done, options, split))
    print(f"written: {path}")


def train(name: str, seed: int, epochs: int, split: Split) -> dict[str, Any]:
    """Train once; return the metrics of the best epoch."""
    changes = {
        "epochs": epochs,
        "early_stopping": None,
        "learning_rate": 2e-3,
        "seed": seed,
        "device": "cpu",
        **TECHNIQUES[name],
    }
    config = config_from_template("quickstart", "technique", {"training": changes})
    _, result = fit(config.model, config.training, split)
    assert result.best is not None
    best = result.best
    return {
        "val_rmse": best.val_rmse,
        "val_loss": best.val_loss,
        "val_kl": best.val_kl,
        "active_units": best.active_units,
        "epoch": best.epoch,
        "samples_per_s": float(np.median([record.samples_per_s for record in result.history])),
        "commit": code_version(Path(movielens_recsys.__file__).parent)["commit"],
    }


def _read(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {(row.pop("name"), row.pop("seed")): row for row in rows}


def section(
    done: dict[tuple[str, int], dict[str, Any]], options: argparse.Namespace, split: Split
) -> list[str]:
    """Return the lines of the section: its heading, its protocol and the table."""
    commits = sorted({row["commit"][:10] for row in done.values()})
    lines = [
        f"## Training techniques on {options.data}",
        "",
        f"`python benchmarks/techniques.py --data {options.data} --seeds {options.seeds} "
        f"--epochs {options.epochs}`: the template `quickstart` at a learning rate of 2e-3 for "
        f"{options.epochs} epochs, random 80/10/10, split `{split.hash[:12]}`, training seeds 0 to "
        f"{options.seeds - 1}, at {', '.join(f'`{commit}`' for commit in commits)}. "
        "One technique at a time against the plain training of the same seed; 95 % intervals by Student's t "
        "over the seeds. An interval that holds 0 shows no effect. The epoch was chosen on validation, the "
        "test part was not read.",
        "",
        "| technique | val_rmse | difference | val_loss | val_kl | active units | best epochs |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in TECHNIQUES:
        rows = [done[name, seed] for seed in range(options.seeds) if (name, seed) in done]
        if len(rows) == options.seeds:
            plain = [done[PLAIN, seed] for seed in range(options.seeds)]
            lines.append(_row(name, rows, plain))
    return [*lines, ""]


def _row(name: str, rows: list[dict[str, Any]], plain: list[dict[str, Any]]) -> str:
    def mean(key: str) -> float:
        return float(np.mean([row[key] for row in rows]))

    difference = "–"
    if name != PLAIN:
        gains = np.array(
            [row["val_rmse"] - other["val_rmse"] for row, other in zip(rows, plain, strict=True)]
        )
        low, high = stats.t.interval(0.95, len(gains) - 1, gains.mean(), stats.sem(gains))
        difference = f"{gains.mean():+.4f} [{low:+.4f}, {high:+.4f}]"
    epochs = ", ".join(str(row["epoch"]) for row in rows)
    return (
        f"| {name} | {mean('val_rmse'):.4f} | {difference} | {mean('val_loss'):.4f} | {mean('val_kl'):.3f} "
        f"| {mean('active_units'):.2f} | {epochs} |"
    )


def _replace_section(path: Path, lines: list[str]) -> None:
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    path.write_text(before.rstrip("\n") + "\n\n" + START + "\n".join(lines) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
