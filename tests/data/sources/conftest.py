"""Helpers of the sources' tests."""

from movielens_recsys.settings import Settings


def leftovers(settings: Settings) -> list[str]:
    """Files under RECSYS_DATA other than locks and parts of downloads."""
    return [
        str(path.relative_to(settings.data))
        for path in settings.data.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", ".part", ".etag"))
    ]
