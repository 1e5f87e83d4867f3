"""All families of odd files, in the order in which a file is read."""

from collections.abc import Callable, Iterator

from .broken import broken, duplicates
from .case import Case
from .columns import odd_columns
from .containers import compressed, other_formats
from .dates import dates
from .exports import exports
from .folders import folders
from .ids import odd_ids
from .implicit import no_ratings
from .item_tables import item_tables
from .options import odd_options
from .parquet import parquet
from .quotes import quoting
from .scales import odd_scales
from .texts import encodings, line_ends, separators
from .times import odd_times
from .titles import titles_beside

FAMILIES: dict[str, Callable[[], Iterator[Case]]] = {
    "encodings": encodings,
    "line ends": line_ends,
    "separators": separators,
    "quotes": quoting,
    "columns": odd_columns,
    "ids": odd_ids,
    "scales": odd_scales,
    "no ratings": no_ratings,
    "dates": dates,
    "times": odd_times,
    "duplicates": duplicates,
    "compressed": compressed,
    "other formats": other_formats,
    "broken": broken,
    "parquet": parquet,
    "folders": folders,
    "titles": titles_beside,
    "item tables": item_tables,
    "exports": exports,
    "options": odd_options,
}
