"""Items, users and tags of the official layouts."""

from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import ROWS, write_u_data
from tests.data.readers.conftest import HEADER, LINES, read_folder, values, write

from movielens_recsys.errors import ReadError


def test_u_data_with_titles_genres_and_user_attributes(tmp_path: Path):
    data = read_folder(write_u_data(tmp_path))
    assert values(data.rows.frame) == ROWS
    assert data.rows.frame["row"].to_list() == [1, 2, 3, 4]
    assert data.rows.frame.schema["user"] == data.rows.frame.schema["timestamp"] == pl.Int64
    assert data.items is not None
    assert data.users is not None
    assert data.items.rows() == [
        (10, "Misérables, Les (1995)", ["Action", "Comedy"], 1995),
        (20, "unknown", [], None),
        (30, "Kolya (1996)", ["Comedy"], 1997),
    ]
    assert data.users.row(1) == (3, 53, "F", "other", "T8H1N")
    assert data.tags is None


def test_dat_with_half_stars_latin_1_titles_colons_and_tags(tmp_path: Path):
    data = read_folder(
        write(
            tmp_path,
            ratings__dat="1::122::0.5::838985046\n1::185::4.5::838983525\n",
            movies__dat="122::Léon: The Professional (1994)::Action|Crime\n"
            "185::Odd :: Title (2001)::(no genres listed)\n",
            users__dat="1::F::1::10::48067\n",
            tags__dat="15::4973::excellent!::1215184630\n20::1747::a::b::1188263867\n",
        )
    )
    assert values(data.rows.frame) == [(1, 122, 0.5, 838985046), (1, 185, 4.5, 838983525)]
    assert data.items is not None
    assert data.users is not None
    assert data.tags is not None
    assert data.items.rows() == [
        (122, "Léon: The Professional (1994)", ["Action", "Crime"], 1994),
        (185, "Odd :: Title (2001)", [], 2001),
    ]
    assert data.users.row(0) == (1, 1, "F", "K-12 student", "48067")
    assert data.tags["tag"].to_list() == ["excellent!", "a::b"]


def test_titles_may_be_latin_1(tmp_path: Path):
    write(tmp_path, ratings__dat="1::1::5::1\n", movies__dat="1::Amélie (2001)::Comedy\n".encode("latin-1"))
    items = read_folder(tmp_path).items
    assert items is not None
    assert items["title"].to_list() == ["Amélie (2001)"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_with_either_line_end_quoted_commas_and_a_span_of_years(tmp_path: Path, end: str):
    movies = ["movieId,title,genres", '10,"American President, The (1995)",Comedy|Drama']
    movies += ['20,"Say ""Hi"" (2006–2007)",(no genres listed)', "30,Babylon 5,Sci-Fi"]
    tags = ["userId,movieId,tag,timestamp", '1,10,"sad, but true",1445714994']
    data = read_folder(
        write(
            tmp_path,
            ratings__csv=end.join([HEADER, *LINES, ""]),
            movies__csv=end.join([*movies, ""]),
            tags__csv=end.join([*tags, ""]),
        )
    )
    assert values(data.rows.frame) == ROWS
    assert data.rows.frame["row"].to_list() == [2, 3, 4, 5]
    assert data.items is not None
    assert data.tags is not None
    assert data.items.rows() == [
        (10, "American President, The (1995)", ["Comedy", "Drama"], 1995),
        (20, 'Say "Hi" (2006–2007)', [], 2006),
        (30, "Babylon 5", ["Sci-Fi"], None),
    ]
    assert data.tags.rows() == [(1, 10, "sad, but true", 1445714994)]


def test_a_broken_title_file_is_named_with_its_line(tmp_path: Path):
    write(tmp_path, ratings__dat="1::1::5::1\n", movies__dat="1::Good (2001)::Comedy\nbroken\n")
    with pytest.raises(ReadError, match=r"movies\.dat .*line 2: .broken."):
        read_folder(tmp_path)


@pytest.mark.real_data
def test_the_real_files_have_the_counts_of_their_readme(real_data_folder: Path):
    data = read_folder(real_data_folder / "ml-100k")
    assert data.items is not None
    assert data.users is not None
    assert (data.rows.frame.height, data.items.height, data.users.height) == (100_000, 1_682, 943)
    assert data.rows.frame.null_count().sum_horizontal().item() == 0
    assert data.items.filter(pl.col("year").is_null())["title"].to_list() == ["unknown"]
    assert "Misérables, Les (1995)" in data.items["title"].to_list()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_title_over_lines_does_not_shift_the_line_that_is_named(tmp_path: Path, end: str):
    movies = ["movieId,title,genres", '10,"Toy', 'Story",Comedy', "20,Heat"]
    write(tmp_path, ratings__csv="\n".join([HEADER, *LINES]), movies__csv=end.join(movies))
    with pytest.raises(ReadError, match=r"movies\.csv .*line 4: '20,Heat'"):
        read_folder(tmp_path)


def test_ids_of_tables_are_text_where_they_do_not_come_back(tmp_path: Path):
    tags = "userId,movieId,tag,timestamp\nann,007,dry,5\n"
    movies = "movieId,title,genres\n007,Bond,\n7,Seven,\n"
    write(tmp_path, ratings__csv="\n".join([HEADER, *LINES]), movies__csv=movies, tags__csv=tags)
    data = read_folder(tmp_path)
    assert data.items is not None
    assert data.tags is not None
    assert data.items["item_id"].to_list() == ["007", "7"]
    assert data.tags.row(0) == ("ann", "007", "dry", 5)
