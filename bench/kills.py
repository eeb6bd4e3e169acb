"""Rounds of kill -9 under load, which check that every acknowledged write survives.

    python -m bench.kills                        200 rounds on SQLite, in a temporary folder
    .ci/with-postgres python -m bench.kills      the same on PostgreSQL, which itself keeps running
    python -m bench.kills 20 --seed 332970164    20 rounds, killed after the same numbers of answers

In each round six clients create applications, grant and delete access rules, regenerate secrets,
disable and delete, while two read. Right after one of the answers the server and its workers are
killed. The server starts again on the same database. Every write that was ever answered with 2xx
must exist, with its audit event, and no write may be incomplete (on SQLite `integrity_check` must
pass).

A refused write (503, 429 or any other status) is not lost: it is counted by status. A write without
an answer is in doubt. A token request that is still refused after a minute is reported as
unverified.

Prints each finding immediately and writes bench/var/kills-<database>.json, also when interrupted.
Exits with 1 if there are findings, and with 130 if it was interrupted without any.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.operations.kills import LOST, KillRounds  # noqa: E402
from tests.servers import Server, free_port, fresh_database, launch  # noqa: E402

MAX_FINDINGS = 20


def main(rounds: int, seed: int, report: Path) -> int:
    print(f"Seed {seed}", flush=True)
    began = time.monotonic()
    servers = _Servers()
    work = KillRounds(servers, random.Random(seed))  # noqa: S311  # not a secret
    findings: list[dict[str, Any]] = []
    result = "complete"
    _raise_on_signals()
    try:
        with servers.running():
            while work.completed < rounds and len(findings) <= MAX_FINDINGS:
                for finding in work.run_one():
                    print(f"Round {work.number}: {finding}", flush=True)
                    findings.append({"round": work.number, **finding.as_json()})
                if work.completed % 10 == 0:
                    print(_summary(work, findings), flush=True)
    except KeyboardInterrupt:
        result = "interrupted"
    except BaseException as error:
        result = f"failed: {type(error).__name__}"
        raise
    finally:
        figures = {
            "database": _kind(),
            "seed": seed,
            "result": result,
            **_figures(work, findings),
            "seconds": round(time.monotonic() - began),
        }
        text = json.dumps(figures, indent=2)
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(text + "\n", encoding="utf-8")
        print(text)
        print(f"Seed {seed}, {result}: {_summary(work, findings)}", flush=True)
    if findings:
        return 1
    return 130 if result == "interrupted" else 0


def _figures(work: KillRounds, findings: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rounds": work.completed,
        "rounds without enough answers": work.cut_short,
        "answered writes": work.answered,
        "writes in doubt": work.in_doubt,
        "refused writes by status": dict(sorted(work.refused_writes.items())),
        "refused reads by status": dict(sorted(work.refused_reads.items())),
        "refusals, one of each status": dict(sorted(work.refusals.items())),
        "failed connections before a kill": work.failures,
        "lost": sum(finding["kind"] == LOST for finding in findings),
        "findings": findings,
    }


def _summary(work: KillRounds, findings: list[dict[str, Any]]) -> str:
    lost = sum(finding["kind"] == LOST for finding in findings)
    return (
        f"{work.completed} rounds, {work.answered:,} writes answered,"
        f" {work.refused_writes.total()} refused, {work.in_doubt} in doubt,"
        f" {lost} lost, {len(findings) - lost} other findings"
    )


def _kind() -> str:
    is_postgres = os.environ.get("DATABASE_URL", "").startswith("postgres")
    return "postgresql" if is_postgres else "sqlite"


class _Servers:
    """Starts successive servers on one new database.

    Only the first one prepares the database. The others skip that step of `serve`, which leaves more
    time for the rounds.
    """

    def __init__(self) -> None:
        self._folder, self._database = Path(), ""
        self._last: Server | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Create the database, and at the end kill every process that uses it."""
        with tempfile.TemporaryDirectory() as name, fresh_database(Path(name)) as database:
            self._folder, self._database = Path(name), database
            try:
                yield
            finally:
                _ignore_signals()
                self._end()

    def __call__(self, *, database: str = "") -> Server:
        if self._last is None:
            self._last = launch(self._folder, database=database or self._database)
        else:
            self._last = self._another(self._last)
        self._last.wait_until_ready(300)
        return self._last

    def _another(self, before: Server) -> Server:
        port = str(free_port())
        command = [sys.executable, "-m", "runai_access.server", "127.0.0.1", port]
        environment = {**before.environment, "PORT": port}
        with before.log.open("wb") as stream:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, process_group=0
            )
        return replace(
            before, url=f"http://127.0.0.1:{port}", environment=environment, process=process
        )

    def _end(self) -> None:
        """Kill the server, and any process that an interrupt left behind."""
        if self._last:
            self._last.kill()
        while left := _processes_on(self._database):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)


def _processes_on(database: str) -> list[int]:
    """Return the processes whose environment contains this database (Linux only)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # The environment of a process that ended, or of another user, can't be read.
        with suppress(OSError):
            if f"DATABASE_URL={database}".encode() in (folder / "environ").read_bytes().split(
                b"\0"
            ):
                found.append(int(folder.name))
    return found


def _raise_on_signals() -> None:
    """Let SIGTERM and Ctrl-C end the rounds, even if a shell made us ignore SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.kills")
    parser.add_argument("rounds", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument(
        "--report", type=Path, default=ROOT / "bench" / "var" / f"kills-{_kind()}.json"
    )
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    # The load and the server share the machine.
    os.nice(5)
    raise SystemExit(main(given.rounds, given.seed, given.report))
