"""Space for the frames of Python calls.

Python 3.11 and later keep the frames of a thread in chunks of 16 kB, and unmap a chunk when its first
frame ends. Where the calls of a request cross the end of a chunk, each of them maps and unmaps memory.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# In words of 8 bytes. The chunk is the next power of two, 1 MB; what the frame leaves is enough for
# thousands of calls. Memory that no call reaches is never allocated.
_FRAME_SIZE = 70_000


def with_space_for_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` with a frame so large that the frames of its calls fit into the same chunk."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(co_stacksize=_FRAME_SIZE)
    return call
