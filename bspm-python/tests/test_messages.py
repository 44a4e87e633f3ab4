"""Messages: each names the argument, the value that was passed, and what to do."""

import pytest

import bspm

I = bspm.Interactions


@pytest.mark.parametrize("name", ["latin-1", "latin_1", "ISO8859-1", "iso8859_15", "cp1252", "utf_8"])
def test_encodings_have_the_names_of_python(name, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes("user,item\nann,café\n".encode(name))
    assert I.from_file(path, encoding=name).items == ["café"]
    path.write_bytes("user,item\nann,café\n".encode("utf-8-sig"))
    assert I.from_file(path, encoding="utf-8-sig").items == ["café"]
    with pytest.raises(ValueError, match='encoding: expected a label .*, found "rot13"'):
        I.from_file(path, encoding="rot13")
