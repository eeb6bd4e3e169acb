"""The threads of a server run requests of any depth without allocating memory for each call."""

import resource
import sys
import threading
from collections.abc import Callable

import pytest

from runai_access.server.pool import ThreadPool

DEPTHS = 300
CALLS = 20


def page_faults(number: int = DEPTHS) -> int:
    """Return the page faults of this thread during short calls at each depth."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    _call_at_each_depth(number)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def _call_at_each_depth(number: int) -> None:
    for _ in range(CALLS):
        _do_nothing()
    if number:
        _call_at_each_depth(number - 1)


def _do_nothing() -> None: ...


# A frame that never fits into what the frames of its callers leave of a chunk.
_do_nothing.__code__ = _do_nothing.__code__.replace(co_stacksize=50)


def in_a_thread(run: Callable[[], None]) -> None:
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.any_database
@pytest.mark.skipif(
    sys.platform != "linux", reason="Only Linux counts the page faults of a thread."
)
def test_calls_of_a_request_allocate_no_memory() -> None:
    faults: dict[str, int] = {}
    finished = threading.Event()

    def job() -> None:
        page_faults()  # the first calls reach the memory
        faults["pool"] = page_faults()
        finished.set()

    def plain() -> None:
        page_faults()
        faults["thread"] = page_faults()

    in_a_thread(plain)
    ThreadPool(threads=1, max_waiting=1).submit(job)
    assert finished.wait(30)
    assert faults["thread"] > CALLS, "Python no longer needs space for frames."
    assert faults["pool"] < faults["thread"] / 10
