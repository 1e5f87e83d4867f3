"""The MovieLens data sets of GroupLens: address, checksum, counts and terms of use of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from movielens_recsys.data.readers.layouts import OfficialLayout
from movielens_recsys.data.scale import Scale
from movielens_recsys.errors import UnknownNameError

GROUPLENS = "https://files.grouplens.org/datasets/movielens/"
CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, Article 19. https://doi.org/10.1145/2827872"
)
_TERMS = "research use; acknowledge it in publications; no commercial use without GroupLens' permission; "
NO_REDISTRIBUTION = _TERMS + "no redistribution without permission"
SAME_TERMS = _TERMS + "redistribution only under the same terms"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A Python wheel that holds a copy of the data, for machines that reach only a package index.

    ``members`` maps paths inside the wheel to the file names that a data set folder gets.
    """

    requirement: str
    sha256: str
    members: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """One official data set.

    Attributes
    ----------
    name, title
        The name on the command line, and a short description.
    url
        GroupLens' https address of the archive.
    archive_bytes
        Size of the archive; None where GroupLens replaces it from time to time.
    md5
        The checksum that GroupLens publishes; None where the archive changes, then the ``.md5`` file
        beside the archive is read before the download.
    archive_folder
        The folder inside the archive that holds ``files``.
    files
        The files taken out of the archive; anything else in it stays packed.
    layout
        How the rating file is written: ``u.data`` (tabs), ``dat`` (``::``) or ``csv``.
    n_ratings, n_users, n_items
        Counts from its README (items: with at least one rating), for the edition named in ``title``.
    wheel
        Another source of the same rows, or None.
    """

    name: str
    title: str
    url: str
    archive_bytes: int | None
    md5: str | None
    archive_folder: str
    files: tuple[str, ...]
    layout: OfficialLayout
    scale: Scale
    n_ratings: int
    n_users: int
    n_items: int
    licence: str
    wheel: WheelSource | None = None
    citation: str = CITATION

    @property
    def notice(self) -> str:
        """Terms of use and citation, shown once when the data set is first fetched."""
        return (
            f"{self.title}\n  terms: {self.licence} (its README has the full text)\n  cite:  {self.citation}"
        )


_WHOLE = Scale(1.0, 5.0, 1.0)
_HALF = Scale(0.5, 5.0, 0.5)
_U_DATA = (
    *("README", "u.data", "u.info", "u.item", "u.genre", "u.user", "u.occupation"),
    *(f"u{fold}.{part}" for fold in (*"12345", "a", "b") for part in ("base", "test")),
)
_CSV = ("README.txt", "ratings.csv", "movies.csv", "tags.csv", "links.csv")

RECBOLE = WheelSource(
    requirement="recbole==1.2.1",
    sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    members=MappingProxyType(
        {
            f"recbole/dataset_example/ml-100k/ml-100k.{part}": f"ml-100k.{part}"
            for part in ("inter", "item", "user")
        }
    ),
)

DATASETS: Mapping[str, DatasetInfo] = MappingProxyType(
    {
        "ml-100k": DatasetInfo(
            name="ml-100k",
            title="MovieLens 100K (1998)",
            url=GROUPLENS + "ml-100k.zip",
            archive_bytes=4_924_029,
            md5="0e33842e24a9c977be4e0107933c0723",
            archive_folder="ml-100k",
            files=_U_DATA,
            layout="u.data",
            scale=_WHOLE,
            n_ratings=100_000,
            n_users=943,
            n_items=1_682,
            licence=NO_REDISTRIBUTION,
            wheel=RECBOLE,
        ),
        "ml-1m": DatasetInfo(
            name="ml-1m",
            title="MovieLens 1M (2003)",
            url=GROUPLENS + "ml-1m.zip",
            archive_bytes=5_917_549,
            md5="c4d9eecfca2ab87c1945afe126590906",
            archive_folder="ml-1m",
            files=("README", "ratings.dat", "movies.dat", "users.dat"),
            layout="dat",
            scale=_WHOLE,
            n_ratings=1_000_209,
            n_users=6_040,
            n_items=3_706,
            licence=NO_REDISTRIBUTION,
        ),
        "ml-10m": DatasetInfo(
            name="ml-10m",
            title="MovieLens 10M (2009)",
            url=GROUPLENS + "ml-10m.zip",
            archive_bytes=65_566_137,
            md5="ce571fd55effeba0271552578f2648bd",
            archive_folder="ml-10M100K",
            files=("README.html", "ratings.dat", "movies.dat", "tags.dat"),
            layout="dat",
            scale=_HALF,
            n_ratings=10_000_054,
            n_users=69_878,
            n_items=10_677,
            licence=NO_REDISTRIBUTION,
        ),
        "ml-20m": DatasetInfo(
            name="ml-20m",
            title="MovieLens 20M (2015, movies updated 2016)",
            url=GROUPLENS + "ml-20m.zip",
            archive_bytes=198_702_078,
            md5="cd245b17a1ae2cc31bb14903e1204af3",
            archive_folder="ml-20m",
            files=_CSV,
            layout="csv",
            scale=_HALF,
            n_ratings=20_000_263,
            n_users=138_493,
            n_items=26_744,
            licence=NO_REDISTRIBUTION,
        ),
        "ml-25m": DatasetInfo(
            name="ml-25m",
            title="MovieLens 25M (2019)",
            url=GROUPLENS + "ml-25m.zip",
            archive_bytes=261_978_986,
            md5="6b51fb2759a8657d3bfcbfc42b592ada",
            archive_folder="ml-25m",
            files=_CSV,
            layout="csv",
            scale=_HALF,
            n_ratings=25_000_095,
            n_users=162_541,
            n_items=59_047,
            licence=NO_REDISTRIBUTION,
        ),
        "ml-32m": DatasetInfo(
            name="ml-32m",
            title="MovieLens 32M (2024)",
            url=GROUPLENS + "ml-32m.zip",
            archive_bytes=238_950_008,
            md5="d472be332d4daa821edc399621853b57",
            archive_folder="ml-32m",
            files=_CSV,
            layout="csv",
            scale=_HALF,
            n_ratings=32_000_204,
            n_users=200_948,
            n_items=84_432,
            licence=NO_REDISTRIBUTION,
        ),
        "ml-latest-small": DatasetInfo(
            name="ml-latest-small",
            title="MovieLens Latest, small (replaced from time to time; counts of 09/2018)",
            url=GROUPLENS + "ml-latest-small.zip",
            archive_bytes=None,
            md5=None,
            archive_folder="ml-latest-small",
            files=_CSV,
            layout="csv",
            scale=_HALF,
            n_ratings=100_836,
            n_users=610,
            n_items=9_724,
            licence=SAME_TERMS,
        ),
        "ml-latest": DatasetInfo(
            name="ml-latest",
            title="MovieLens Latest, full (replaced from time to time; counts of 07/2023)",
            url=GROUPLENS + "ml-latest.zip",
            archive_bytes=None,
            md5=None,
            archive_folder="ml-latest",
            files=_CSV,
            layout="csv",
            scale=_HALF,
            n_ratings=33_832_162,
            n_users=330_975,
            n_items=83_239,
            licence=SAME_TERMS,
        ),
    }
)


def dataset_info(name: str) -> DatasetInfo:
    """Return an official data set by name, or raise `UnknownNameError` with the nearest name."""
    try:
        return DATASETS[name]
    except KeyError:
        raise UnknownNameError("data set", name, DATASETS) from None
