import pytest
import torch

from movielens_recsys.training.batches import RatingTensors, split_batches


@pytest.mark.parametrize(
    ("rows", "size", "min_rows", "sizes"),
    [
        (0, 4, 2, []),
        (8, 4, 2, [4, 4]),
        (9, 4, 2, [4, 5]),
        (10, 4, 2, [4, 4, 2]),
        (10, 4, 4, [4, 6]),
        (1, 4, 2, [1]),
    ],
)
def test_a_last_batch_that_is_too_small_joins_the_one_before(
    rows: int, size: int, min_rows: int, sizes: list[int]
) -> None:
    batches = split_batches(torch.arange(rows), size, min_rows)
    assert [len(batch) for batch in batches] == sizes
    assert torch.cat([torch.empty(0), *batches]).tolist() == list(range(rows))


def test_averaged_weights_normalise_no_row_by_itself() -> None:
    users, items = torch.arange(7), torch.arange(7) + 10
    rows = RatingTensors(users, items, torch.zeros(7, 0), torch.ones(7))
    pairs = list(rows.pairs(3))
    assert [len(users) for users, _ in pairs] == [3, 4]
    assert torch.cat([items for _, items in pairs]).tolist() == items.tolist()
