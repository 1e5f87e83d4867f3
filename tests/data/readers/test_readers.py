from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import ROWS, write_u_data

from movielens_recsys.data.readers import read
from movielens_recsys.data.readers.layouts import file_layout, find_layout
from movielens_recsys.errors import ReadError

HEADER = "userId,movieId,rating,timestamp"
LINES = [f"{user},{item},{rating}.0,{time}" for user, item, rating, time in ROWS]


def rows_of(path: Path, columns: dict[str, str] | None = None) -> pl.DataFrame:
    return read(file_layout(path), columns).rows


def values(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return frame.select("user", "item", "rating", "timestamp").rows()


def read_folder(folder: Path):
    layout = find_layout(folder)
    assert layout is not None
    return read(layout)


def write(folder: Path, **files: bytes | str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_u_data_with_titles_genres_and_people(tmp_path: Path):
    data = read_folder(write_u_data(tmp_path))
    assert values(data.rows) == ROWS
    assert data.rows["row"].to_list() == [1, 2, 3, 4]
    assert data.rows.schema["user"] == data.rows.schema["timestamp"] == pl.Int64
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
    assert values(data.rows) == [(1, 122, 0.5, 838985046), (1, 185, 4.5, 838983525)]
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
    assert values(data.rows) == ROWS
    assert data.rows["row"].to_list() == [2, 3, 4, 5]
    assert data.items is not None
    assert data.tags is not None
    assert data.items.rows() == [
        (10, "American President, The (1995)", ["Comedy", "Drama"], 1995),
        (20, 'Say "Hi" (2006–2007)', [], 2006),
        (30, "Babylon 5", ["Sci-Fi"], None),
    ]
    assert data.tags.rows() == [(1, 10, "sad, but true", 1445714994)]


def test_columns_are_found_by_name_wherever_they_stand(tmp_path: Path):
    lines = ["note,stars,film,who", "x,3.5,7,1", "y,4,8,2"]
    write(tmp_path, mine__csv="\n".join(lines))
    frame = rows_of(tmp_path / "mine.csv", {"user": "who", "item": "film", "rating": "stars"})
    assert frame.rows() == [(2, 1, 7, 3.5), (3, 2, 8, 4.0)]


@pytest.mark.parametrize(
    ("name", "separator"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t"), ("a.txt", "|"), ("a", "\t")]
)
def test_usual_names_and_separators_are_recognised(tmp_path: Path, name: str, separator: str):
    lines = ["User_ID,Movie ID,Rating,Date", "1,2,3,1970-01-02", "1,3,4,1970-01-01T00:00:05"]
    (tmp_path / name).write_text("\n".join(lines).replace(",", separator))
    assert values(rows_of(tmp_path / name)) == [(1, 2, 3.0, 86400), (1, 3, 4.0, 5)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path):
    write(tmp_path, a__csv="\n".join([HEADER, *LINES]).encode("utf-8-sig"))
    assert values(rows_of(tmp_path / "a.csv")) == ROWS


def test_text_ids_stay_text_and_quotes_and_gaps_are_understood(tmp_path: Path):
    write(tmp_path, a__csv='user,item,rating\nann,"tt1, uncut",5\n\nbob,tt2,4.5\n')
    assert rows_of(tmp_path / "a.csv").rows() == [(2, "ann", "tt1, uncut", 5.0), (4, "bob", "tt2", 4.5)]
    write(tmp_path, b__csv="user,item,rating\nann, tt1,5\n,tt2,4.5\n")
    assert rows_of(tmp_path / "b.csv").rows() == [(2, "ann", "tt1", 5.0), (3, None, "tt2", 4.5)]


def test_whole_numbers_written_with_a_fraction_are_whole(tmp_path: Path):
    write(tmp_path, a__csv="user,item,rating,timestamp\n1.0,2.0,4,12.9\n3,4,5,7\n")
    assert values(rows_of(tmp_path / "a.csv")) == [(1, 2, 4.0, 12), (3, 4, 5.0, 7)]


@pytest.mark.parametrize("bad", ["4,5", "four", "", "NaN-ish", "5 stars"])
def test_a_rating_that_is_no_number_is_null_and_keeps_its_line(tmp_path: Path, bad: str):
    (tmp_path / "u.data").write_text(f"1\t2\t3\t4\n1\t3\t{bad}\t5\n")
    frame = rows_of(tmp_path / "u.data")
    assert frame.row(1) == (2, 1, 3, None, 5)


@pytest.mark.parametrize("line", ["1::2::3", "1::2::3::4::5", "1:2:3:4", "nonsense", "::"])
def test_a_line_with_another_number_of_fields_is_null_and_keeps_its_line(tmp_path: Path, line: str):
    (tmp_path / "ratings.dat").write_text(f"1::2::3::4\n{line}\n5::6::1::8\n")
    frame = rows_of(tmp_path / "ratings.dat")
    assert frame.height == 3
    assert frame["row"].to_list() == [1, 2, 3]
    assert frame.row(1)[3] is None
    assert values(frame)[2] == (5, 6, 1.0, 8)


def test_a_decimal_comma_is_never_read_as_two_fields(tmp_path: Path):
    (tmp_path / "ratings.csv").write_text(f"{HEADER}\n1,2,4,5,964982703\n1,3,4.0,964982703\n")
    frame = read_folder(tmp_path).rows
    assert frame["rating"].to_list() == [None, 4.0]


def test_blank_lines_do_not_shift_the_numbers(tmp_path: Path):
    (tmp_path / "u.data").write_bytes(b"1\t2\t3\t4\r\n\r\n  \n1\t3\t3\t4\n\n")
    assert rows_of(tmp_path / "u.data")["row"].to_list() == [1, 4]


@pytest.mark.parametrize("name", ["u.data", "ratings.dat", "a.csv", "a.tsv", "a.parquet", "a.inter"])
def test_an_empty_file_is_refused_by_name(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ReadError, match=name):
        rows_of(tmp_path / name)


def test_missing_columns_are_named_with_what_is_there(tmp_path: Path):
    write(tmp_path, a__csv="who,film,stars\n1,2,3\n")
    with pytest.raises(ReadError, match=r"no column user and item.*who, film, stars.*--columns"):
        rows_of(tmp_path / "a.csv")
    with pytest.raises(ReadError, match=r"no column 'viewer'.*who, film, stars"):
        rows_of(tmp_path / "a.csv", {"user": "viewer", "item": "film", "rating": "stars"})
    with pytest.raises(ReadError, match=r"no column 'usr'.*did you mean 'user'"):
        rows_of(tmp_path / "a.csv", {"usr": "who"})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (HEADER.encode("utf-16"), "UTF-16"),
        (f"{HEADER}\nJosé,1,5,1\n".encode("latin-1"), "UTF-8"),
        (b"PK\x03\x04", "zip"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\xff\n", "UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, kind: str):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ReadError, match=kind):
        rows_of(tmp_path / "a.csv")


def test_a_quoted_row_with_too_many_fields_is_named_by_its_line(tmp_path: Path):
    (tmp_path / "a.csv").write_text('user,item,rating\n1,"a,b",5\n1,2,4,5\n2,3,1\n')
    with pytest.raises(ReadError, match=r"line 3: 4 fields; expected 3"):
        rows_of(tmp_path / "a.csv")


def test_parquet_with_dates_and_other_types(tmp_path: Path):
    frame = pl.DataFrame(
        {
            "u": [1, 2],
            "i": ["a", "b"],
            "r": pl.Series([3, 4], dtype=pl.Int8),
            "t": ["1970-01-02", "1970-01-03"],
        }
    ).with_columns(pl.col("t").str.to_datetime())
    frame.write_parquet(tmp_path / "a.parquet")
    mapping = {"user": "u", "item": "i", "rating": "r", "timestamp": "t"}
    assert values(rows_of(tmp_path / "a.parquet", mapping)) == [(1, "a", 3.0, 86400), (2, "b", 4.0, 172800)]
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:200])
    with pytest.raises(ReadError, match=r"b\.parquet cannot be read"):
        rows_of(tmp_path / "b.parquet", mapping)


def test_a_broken_title_file_is_named_with_its_entry(tmp_path: Path):
    write(tmp_path, ratings__dat="1::1::5::1\n", movies__dat="1::Good (2001)::Comedy\nbroken\n")
    with pytest.raises(ReadError, match=r"movies\.dat .*entry 2"):
        read_folder(tmp_path)


def test_a_folder_without_ratings_has_no_layout(tmp_path: Path):
    assert find_layout(tmp_path) is None
    assert find_layout(tmp_path / "missing") is None


@pytest.mark.real_data
def test_the_real_files_say_what_their_readme_promises(real_data_folder: Path):
    data = read_folder(real_data_folder / "ml-100k")
    assert data.items is not None
    assert data.users is not None
    assert (data.rows.height, data.items.height, data.users.height) == (100_000, 1_682, 943)
    assert data.rows.null_count().sum_horizontal().item() == 0
    assert data.items.filter(pl.col("year").is_null())["title"].to_list() == ["unknown"]
    assert "Misérables, Les (1995)" in data.items["title"].to_list()
