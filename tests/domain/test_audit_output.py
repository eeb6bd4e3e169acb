"""Sealed audit rows are written out in order and at least once, and a broken target stops nothing."""

import json
import os
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from runai_access.audit import output
from runai_access.audit.archive import archive_before
from runai_access.audit.models import Unsealed
from runai_access.audit.output import OutputJob
from runai_access.audit.sealer import seal_waiting
from runai_access.background.jobs import default_jobs
from runai_access.metrics import figures
from tests.domain.audit_log import happened, six_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, settings: Settings) -> Path:
    """The file to which rows are written."""
    settings.AUDIT_LOG = str(tmp_path / "audit.jsonl")
    return tmp_path / "audit.jsonl"


def write(job: OutputJob | None = None) -> None:
    (job or OutputJob())(lambda: True)


def ids_in(text: str) -> list[int]:
    return [json.loads(line)["id"] for line in text.splitlines() if line]


def test_sealed_rows_are_written_once_in_order(file: Path) -> None:
    ids = six_rows()
    happened("not sealed yet")
    for _ in range(2):
        write()
    assert ids_in(file.read_text()) == ids
    first = json.loads(file.read_text().splitlines()[0])
    assert (first["seal"], first["action"], first["result"]) == (1, "update", "Succeeded")
    assert first["source_ip"] == "2001:db8::1"
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_sealed_later_does_not_delay_a_stop(file: Path) -> None:
    six_rows()
    is_pending = output.pending()
    assert is_pending()
    write()
    happened("seven")
    seal_waiting()
    assert not is_pending()
    assert output.pending()()


def test_a_renamed_file_is_continued_in_a_new_one(file: Path) -> None:
    ids = six_rows()
    write()
    file.rename(file.with_suffix(".1"))
    later = happened("seven")
    seal_waiting()
    write()
    assert ids_in(file.read_text()) == later[len(ids) :]


def test_rows_in_an_archive_are_not_written_again(file: Path, tmp_path: Path) -> None:
    six_rows()
    archive_before(timezone.now(), tmp_path)
    seal_waiting()
    write()
    assert len(ids_in(file.read_text())) == 1, "the row about the archive"


def test_a_missing_folder_delays_only_the_output(settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_LOG = str(tmp_path / "missing" / "audit.jsonl")
    ids = six_rows()
    with pytest.raises(FileNotFoundError):
        write()
    assert not Unsealed.objects.exists()
    assert figures.read().output_lag.total_seconds() > 0
    (tmp_path / "missing").mkdir()
    write()
    assert ids_in(Path(settings.AUDIT_LOG).read_text()) == ids
    assert figures.read().output_lag.total_seconds() == 0


def test_a_pipe_that_nobody_reads_does_not_block(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that was cut off ends before the rows are written again."""
    monkeypatch.setattr(output, "WAIT_SECONDS", 0.05)
    ids = happened(*["x" * 500] * 200)
    seal_waiting()
    os.mkfifo(file)
    job = OutputJob()
    with pytest.raises(OSError, match="No such device"):
        write(job)
    reader = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(TimeoutError):
            write(job)
        first = os.read(reader, 1 << 20)
        file.rename(file.with_suffix(".pipe"))
        write(job)
    finally:
        os.close(reader)
    assert not first.endswith(b"\n")
    assert file.read_text().startswith("\n{")
    assert ids_in(file.read_text()) == ids


def test_rows_are_written_by_a_job_only_if_it_is_wanted(settings: Settings) -> None:
    names = [job.name for job in default_jobs()]
    settings.AUDIT_LOG = "-"
    assert [job.name for job in default_jobs() if job.name not in names] == [
        "write out the audit log"
    ]


def test_standard_output_can_be_the_target(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.AUDIT_LOG = "-"
    ids = six_rows()
    write()
    assert ids_in(capfd.readouterr().out) == ids
