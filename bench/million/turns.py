"""Several processes that measure in turns, a round at a time: whatever else the machine does meets
each of them alike, so that what they find can be held against each other."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Turns:
    """A process's end: what tells it that it is its turn, and where it tells that it was.

    Both are file descriptors; without them it is alone, and never waits.
    """

    told: int = -1
    tell: int = -1

    @property
    def arguments(self) -> list[str]:
        return ["--turns", str(self.told), str(self.tell)]

    def wait(self) -> None:
        """Wait until it is this one's turn; end where there will be none."""
        if self.told >= 0 and not os.read(self.told, 1):
            sys.exit("Measuring was given up.")

    def pass_on(self) -> None:
        """Let the others have theirs."""
        if self.tell >= 0:
            os.write(self.tell, b".")
            self.wait()


def run_in_turns(commands: Iterable[tuple[Sequence[str], Mapping[str, str]]]) -> None:
    """Run the commands, each with its environment, one at a time: until it passes its turn on, or ends.

    Raises CalledProcessError where one fails; then the others end by themselves.
    """
    with ExitStack() as stack:
        running = [_start(command, environment, stack) for command, environment in commands]
        while running:
            for one in list(running):
                process, told, tell = one
                with suppress(BrokenPipeError):  # it ended while it waited
                    os.write(tell, b".")
                if not os.read(told, 1):
                    running.remove(one)
                    if process.wait():
                        raise subprocess.CalledProcessError(process.returncode, process.args)


def _start(
    command: Sequence[str], environment: Mapping[str, str], stack: ExitStack
) -> tuple[subprocess.Popen[bytes], int, int]:
    its_told, tell = os.pipe()
    told, its_tell = os.pipe()
    turns = Turns(its_told, its_tell)
    process = subprocess.Popen(
        [*command, *turns.arguments], env=environment, pass_fds=(its_told, its_tell)
    )
    # Without a turn it stops what it has started; only then is there nothing to wait for.
    stack.callback(process.wait)
    for ours in (told, tell):
        stack.callback(os.close, ours)
    for its in (its_told, its_tell):
        os.close(its)
    return process, told, tell
