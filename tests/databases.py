"""Databases for tests, each a copy of one that is migrated once per run.

`python -m tests.databases` removes those of the run that .ci/test started.
"""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.servers import (
    ADMIN_SETTINGS,
    create_database,
    environment_on,
    fresh_database,
    manage,
)

# The folder that the processes of one run share; .ci/test or tests/settings.py makes it.
RUN_FOLDER = "TESTS_RUN_FOLDER"


def run_folder() -> Path:
    return Path(os.environ[RUN_FOLDER])


def template() -> str:
    """Return the URL of the migrated database of this run. The first caller migrates it."""
    with _once("template") as (url, is_new):
        if is_new:
            if _cluster():
                _create(_name(url))
            _run("migrate", url)
    return url


def prepared_template() -> str:
    """Return the URL of a copy of the template that `prepare` got ready for servers."""
    source = template()
    with _once("prepared") as (url, is_new):
        if is_new:
            if _cluster():
                _create(_name(url), template=_name(source))
            else:
                copy_file(Path(_path(source)), Path(_path(url)))
            _run("prepare", url)
    return url


@contextmanager
def _once(name: str) -> Iterator[tuple[str, bool]]:
    """Yield the URL of a database of this run, and whether this process has to create it."""
    folder = run_folder()
    done = folder / f"{name}.done"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _url_of(name), not done.exists()
        done.touch()


def _url_of(name: str) -> str:
    folder, cluster = run_folder(), _cluster()
    if cluster:
        return _renamed(cluster, f"runai_access_{name}_{folder.name.rpartition('-')[2]}")
    return f"sqlite:///{folder / name}.sqlite3"


def _run(command: str, url: str) -> None:
    done = manage(command, environment={**environment_on(url), **ADMIN_SETTINGS}, seconds=600)
    if done.returncode != 0:
        raise AssertionError(f"The template database: {done.stderr}")


@contextmanager
def prepared_database(folder: Path) -> Iterator[str]:
    """Yield the DATABASE_URL of a database that `prepare` got ready: with an administrator."""
    with _copy(prepared_template(), folder) as url:
        yield url


@contextmanager
def migrated_database(folder: Path) -> Iterator[str]:
    """Yield the DATABASE_URL of a migrated database without users, of the kind the tests run on."""
    with _copy(template(), folder) as url:
        yield url


@contextmanager
def _copy(source: str, folder: Path) -> Iterator[str]:
    if _cluster():
        with fresh_database(folder, template=_name(source)) as url:
            yield url
        return
    with fresh_database(folder) as url:
        copy_file(Path(_path(source)), Path(_path(url)))
        yield url


def copy_to(name: str) -> None:
    """Copy the migrated database to a file or, on PostgreSQL, to a database called `name`."""
    source = template()
    if _cluster():
        drop(name)
        _create(name, template=_name(source))
    else:
        copy_file(Path(_path(source)), Path(name))


def drop(name: str) -> None:
    """Drop a database, and end the connections to it."""
    if _cluster():
        with _server() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def remove_run() -> None:
    """Remove the templates and the folder of this run."""
    folder = run_folder()
    for done in folder.glob("*.done"):
        drop(_name(_url_of(done.stem)))
    shutil.rmtree(folder, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy an SQLite database that nobody writes to; only its owner can read the copy."""
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode=WAL")


def _cluster() -> str:
    """Return the URL of the PostgreSQL server the tests run on, or "" where they run on SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    return url if url.startswith("postgres") else ""


def _server() -> psycopg.Connection:
    return psycopg.connect(_cluster(), autocommit=True)


def _create(name: str, *, template: str = "") -> None:
    with _server() as connection:
        create_database(connection, name, template)


def _renamed(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _path(url: str) -> str:
    return urlsplit(url).path[1:]


_name = _path


if __name__ == "__main__":
    remove_run()
