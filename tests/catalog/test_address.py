"""A URL leads to its database, and its text never holds the password."""

from pathlib import Path

import pytest

from catalog import DatabaseUrl

VIEWS = Path("/home/me/views")
SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("url", "options", "shown"),
    [
        (
            f"postgresql://me:{SECRET}@db.example:5433/films",
            {"user": "me", "host": "db.example", "port": "5433", "dbname": "films"},
            "postgresql://me@db.example:5433/films",
        ),
        (
            f"postgres://me:{SECRET}@/films?host=/run/postgresql",
            {"user": "me", "host": "/run/postgresql", "dbname": "films"},
            "postgresql://me@/films?host=/run/postgresql",
        ),
        (
            f"POSTGRESQL://a%40b:{SECRET}%2F%3F@[::1]/my%20films?sslmode=require&password={SECRET}",
            {"user": "a@b", "host": "::1", "dbname": "my films", "sslmode": "require"},
            "postgresql://a%40b@[::1]/my%20films?sslmode=require",
        ),
        (
            f"postgresql://me:{SECRET}#@{SECRET}@one:1,two:2/films?target_session_attrs=primary",
            {
                "user": "me",
                "host": "one,two",
                "port": "1,2",
                "dbname": "films",
                "target_session_attrs": "primary",
            },
            "postgresql://me@one:1,two:2/films?target_session_attrs=primary",
        ),
        ("postgresql:///?service=films", {"service": "films"}, "postgresql:///?service=films"),
        ("postgresql://", {}, "postgresql:///"),
    ],
)
def test_a_url_is_read_in_parts_and_shown_without_the_password(url, options, shown):
    read = DatabaseUrl.parse(url, views=VIEWS)
    assert dict(read.options) == options
    assert (SECRET in url) == (read.password is not None and SECRET in read.password)
    assert SECRET not in f"{read} {read!r}"
    assert dict(DatabaseUrl.parse(str(read), views=VIEWS).options) == options
    assert str(read) == shown


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{SECRET}@db/films",
        f"postgresql://me:{SECRET}/x@db/films",
        f"postgresql://me:12/{SECRET}@db/films",
        f"postgresql://me:12?{SECRET}@db/films",
        f"postgresql://me@db:{SECRET}/films",
        f"postgresql://me@db/films?{SECRET}",
        f"postgresql://me:{SECRET}@db/films%00",
        f"postgresql://me:{SECRET}@db/%1b[2Jfilms",
        f"postgresql://me@db/films/{SECRET}",
        f"postgresql://me@db/films?sslpassword={SECRET}",
    ],
)
def test_what_is_no_url_of_a_database_is_refused_and_not_repeated(url):
    with pytest.raises(ValueError, match="URL") as refused:
        DatabaseUrl.parse(url, views=VIEWS)
    assert SECRET not in str(refused.value)
    assert "12" not in str(refused.value)
