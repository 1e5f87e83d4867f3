import csv
import json
from collections.abc import Callable

from movielens_recsys.runs import export, store
from movielens_recsys.runs.run import Run
from movielens_recsys.settings import Settings

Finish = Callable[..., Run]


def test_json_has_the_whole_state_and_csv_one_row_per_run(finish: Finish, settings: Settings) -> None:
    runs = [finish("a", {"rmse": 0.9}, tags=("x", "y")), finish("b")]
    pairs = [(run, store.load_config(run.id, settings)) for run in runs]
    first, second = json.loads(export.as_json(pairs))
    assert first["figures"]["test_rmse"] == {"value": 0.9, "low": 0.89, "high": 0.91}
    assert second["config"]["model"]["name"] == "hybrid_vae"
    rows = list(csv.DictReader(export.as_csv(pairs).splitlines()))
    assert [(row["name"], row["figure.test_rmse"], row["figure.test_rmse.low"]) for row in rows] == [
        ("a", "0.9", "0.89"),
        ("b", "", ""),
    ]
    assert rows[0]["tags"].split()[-2:] == ["x", "y"]
    assert rows[0]["config.training.seed"] == "0"
