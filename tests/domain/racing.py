"""Runs jobs at the same moment: each in a thread with its own connection."""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

from django.db import connection


def together(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all jobs concurrently; return what each returned or raised, in their order."""
    outcomes: list[Any] = [None] * len(jobs)
    start = Barrier(len(jobs), timeout=20)

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            outcomes[number] = jobs[number]()
        except Exception as error:  # noqa: BLE001  # whatever it raised is its outcome
            outcomes[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a job hangs"
    return outcomes
