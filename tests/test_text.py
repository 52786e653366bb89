"""Text from outside: encodings, ends of lines, tables of separated values."""

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_lib.database import imac, tags, text

COLUMNS = ("id", "artist", "title", "tags", "licence")


def put(folder, data, name="t.csv"):
    (folder / name).write_bytes(data)
    return folder / name


# --- encodings

UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be")


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("written", ["id,artist\ns0,Ann\n", "Café, naïve mañana, 50 % Straße\n",
                                     "sad: Грусть, 悲しい song\n"])
def test_unicode_with_and_without_a_mark(tmp_path, encoding, written):
    assert text.read(put(tmp_path, written.encode(encoding))) == written


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8])
def test_marks_name_the_encoding(tmp_path, mark):
    encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(mark, "utf-8")
    assert text.read(put(tmp_path, mark + "悲しい".encode(encoding))) == "悲しい"


@pytest.mark.parametrize("written", ["happy café", "Beyoncé", "Müller", "Motörhead",
                                     "Straße", "Noël", "façade", "Gérard\r\nStéphane"])
def test_western_text_of_one_reading(tmp_path, written):
    for encoding in ("cp1252", "latin-1", "cp1250", "cp1254"):
        assert text.read(put(tmp_path, written.encode(encoding))) == written


@pytest.mark.slow
@pytest.mark.parametrize("data", [
    "mañana".encode("cp1252"), "mańana".encode("cp1250"), "voilà".encode("cp1252"), "don’t".encode("cp1252"),
    "País".encode("mac_roman"), "café".encode("mac_roman"), "Straße".encode("cp850"), "Грусть".encode("cp1251"),
    "Грусть".encode("koi8-r"), "悲しい".encode("shift_jis"), "悲伤".encode("gbk"), "슬픈".encode("euc-kr"),
    "λύπη".encode("cp1253"), "Ümit ağa".encode("cp1254"), "smutný".encode("cp1250"), "Édith".encode("cp1252"),
    b"\xff\xfeb", b"\xc3", b"caf\xc3\xa9 and caf\xe9\xff", "été".encode("cp1252"),
])
def test_text_that_may_be_read_in_two_ways_is_refused_with_its_place(tmp_path, data):
    with pytest.raises(ValueError, match=r"^t.csv, line \d, byte \d+: b.* is no UTF-(8|16), and no other encoding is "
                                         "certain; save the file as UTF-8$") as error:
        text.read(put(tmp_path, data))
    assert not isinstance(error.value, UnicodeError)


def test_the_place_is_that_of_the_first_wrong_byte(tmp_path):
    with pytest.raises(ValueError, match=r"line 3, byte 12: b'ab\\r\\nbc\\r\\nman\\xf1ana' is no UTF-8"):
        text.read(put(tmp_path, b"ab\r\nbc\r\nman\xf1ana\n"))


@pytest.mark.parametrize(("data", "expected"), [
    (b"a\nb\n", ["a", "b", ""]), (b"a\r\nb", ["a", "b"]), (b"a\rb", ["a", "b"]), (b"a\rb\nc", ["a\rb", "c"]),
    (b"", [""]),
    ("a\u2028b\x85c\n".encode(), ["a\u2028b\x85c", ""]), (b"a\0b\n", ["a\0b", ""]),
])
def test_lines(tmp_path, data, expected):
    assert text.lines(put(tmp_path, data)) == expected


READERS = {
    "clean_tags_happy.txt": ("happy café\n", lambda p: tags.clean_lists(p.parent)["happy"], ["happy café"]),
    "lastfm_unique_tags.txt": ("so sad café\t7\n", lambda p: tags.read(p).values.tolist(), [["so sad café", 7]]),
    "lastfm_tags.txt": ("rock café\t7\n\nsad\t2\n", tags.count, 2),
    "SongEmotionScore.csv": ("TR1,Café,Ann,1_0_0\n", lambda p: imac.songs(p)["title"].tolist(), ["Café"]),
    "YouTubeURLs.csv": ("TR1,a,café\n", imac.videos, {"TR1": ["a", "café"]}),
    "awe.csv": ("awe,http://h/café.jpg,0,5\n", lambda p: imac.read_pictures(p.parent)[0]["url"].tolist(),
                ["http://h/café.jpg"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("encoding", [*UNICODE, "cp1252"])
@pytest.mark.parametrize("name", READERS)
def test_every_list_is_read_in_every_certain_encoding(tmp_path, name, encoding):
    written, read, expected = READERS[name]
    assert read(put(tmp_path, written.encode(encoding), name)) == expected


@pytest.mark.parametrize("name", [name for name in READERS if name != "awe.csv"])
def test_every_list_names_itself_where_its_encoding_is_not_certain(tmp_path, name):
    written, read, _ = READERS[name]
    with pytest.raises(ValueError, match=f"^{name}, line 1, byte .*; save the file as UTF-8"):
        read(put(tmp_path, written.replace("é", "ñ").encode("cp1252"), name))


def test_a_line_of_a_picture_list_that_does_not_decode_is_a_reject(tmp_path):
    put(tmp_path, "awe,http://h/ñ.jpg,0,5\nawe,http://h/b.jpg,0,5\n".encode("cp1252"), "awe.csv")
    rows, bad = imac.read_pictures(tmp_path)
    assert rows["url"].tolist() == ["http://h/b.jpg"]
    assert bad == [(f"{tmp_path.name}/awe.csv, line 1", "is no UTF-8: save the list as UTF-8")]


# --- tables

ROWS = {"plain": "id,artist,title\ns0,Ann,Song\n",
        "blanks after commas": "id, artist, title\ns0, Ann, Song\n",
        "blanks around": " id , artist , title \n s0 , Ann , Song \n",
        "capitals": "ID,Artist,TITLE\ns0,Ann,Song\n", "semicolons": "id;artist;title\ns0;Ann;Song\n",
        "tabs": "id\tartist\ttitle\ns0\tAnn\tSong\n", "bars": "id|artist|title\ns0|Ann|Song\n",
        "Excel's first line": "sep=;\r\nid;artist;title\r\ns0;Ann;Song\r\n",
        "CRLF": "id,artist,title\r\ns0,Ann,Song\r\n", "CR": "id,artist,title\rs0,Ann,Song\r",
        "CRCRLF": "id,artist,title\r\r\ns0,Ann,Song\r\r\n",
        "no last end": "id,artist,title\ns0,Ann,Song",
        "blank lines": "\n\nid,artist,title\n\n  \n,,\ns0,Ann,Song\n\n",
        "commas at the end": "id,artist,title,,\ns0,Ann,Song,\n",
        "quotes": '"id","artist","title"\n"s0","Ann","Song"\n',
        "blanks before quotes": 'id, "artist", "title"\ns0, "Ann", "Song"\n',
        "mark": "\ufeffid,artist,title\ns0,Ann,Song\n",
        "two marks": "\ufeff\ufeffid,artist,title\ns0,Ann,Song\n", "another order": "title,id,artist\nSong,s0,Ann\n"}


@pytest.mark.slow
@pytest.mark.parametrize("case", ROWS)
def test_one_table_written_in_many_ways(tmp_path, case):
    names, rows = text.table(put(tmp_path, ROWS[case].encode()), COLUMNS)
    assert sorted(names) == ["artist", "id", "title"]
    assert list(rows.values()) == [{"id": "s0", "artist": "Ann", "title": "Song"}]


@pytest.mark.slow
@pytest.mark.parametrize("value", ["007", "1.0", "1e5", "NA", "nan", "NaN", "None", "null", "NULL", "True", "-", "#N/A",
                                   "inf", "2020-01-01", "<b>", "a\0b", "x" * 300_000, "=1+1", "# 1", "a;b", "it's",
                                   'say "hi"'])
def test_values_stay_text(tmp_path, value):
    names, rows = text.table(put(tmp_path, f"id,artist\ns0,{value}\n".encode()), COLUMNS)
    assert rows == {2: {"id": "s0", "artist": value}}


def test_rows_have_the_number_of_their_first_line(tmp_path):
    written = b'id,title\n\ns0,"one\r\ntwo, ""three"""\n\ns1,x\n'
    assert text.table(put(tmp_path, written), COLUMNS)[1] == {
        3: {"id": "s0", "title": 'one\r\ntwo, "three"'}, 6: {"id": "s1", "title": "x"}}


@pytest.mark.slow
@pytest.mark.parametrize(("written", "message"), [
    ("", "is empty; write names of columns into its first line, such as id,artist,title"),
    ("\n , ,\n", "is empty; write"), ("\ufeff", "is empty"),
    ("id,title,artist\ns0,Hello, World,Ann\n", r"line 2 has 4 fields, 3 were expected \(id, title, artist\): "
                                              r"\['s0', 'Hello', 'World', 'Ann'\]; put a field that holds the"),
    ("id,artist\n\ns0,Ann\ns1\n", "line 4 has 1 fields, 2 were expected"),
    ("id,artist\n# a comment\n", "line 2 has 1 fields, .*remove a line that is no row"),
    ("id;artist\ns0,Ann\n", "line 2 has 1 fields"), ("id,artist\ns0,\"A\nB\"\ns1,C,D\n", "line 4 has 3 fields"),
    ("id,artist\ns0,\"Ann\ns1,Bob\n", "line 2 does not read: unexpected end of data; end a quoted field with a quote"),
    ("id,artist\ns0,\"Heroes\" (live)\n", "line 2 does not read: .* expected after"),
    ("id\n\"x\n", "line 2 does not read"),
    ("id,Artist,artist\ns0,a,b\n", "line 1: column 'artist' stands twice; remove one"),
])
def test_a_wrong_table_is_named_with_the_line_and_the_remedy(tmp_path, written, message):
    with pytest.raises(ValueError, match=f"^t.csv,? {message}"):
        text.table(put(tmp_path, written.encode()), COLUMNS)


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff"), max_size=12).map(str.strip)
DIALECTS = [{"delimiter": d, "lineterminator": end, "quoting": q} for d in ",;\t|" for end in ("\n", "\r\n", "\r")
            for q in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
            if (end, q) != ("\r", csv.QUOTE_MINIMAL)]  # which leaves a line feed in a field without quotes


@pytest.mark.slow
@given(st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), max_size=6), st.sampled_from(DIALECTS),
       st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_a_table_in_any_dialect_is_read_back_equal(tmp_path_factory, rows, dialect, encoding):
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows([("id", "artist", "title"), *rows])
    path = put(tmp_path_factory.getbasetemp(), out.getvalue().encode(encoding), "dialect.csv")
    assert [tuple(row.values()) for row in text.table(path, COLUMNS)[1].values()] == rows
