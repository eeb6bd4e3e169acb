"""Processes that measure in turns, one round at a time.

So other load on the machine affects all of them equally, and their results are comparable.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Turns:
    """The turns of one process: a file descriptor that signals its turn, and one to end its turn.

    Without them the process is alone and never waits.
    """

    started: int = -1
    ended: int = -1

    @property
    def arguments(self) -> list[str]:
        return ["--turns", str(self.started), str(self.ended)]

    def wait(self) -> None:
        """Wait for the turn of this process; exit if there is none."""
        if self.started >= 0 and not os.read(self.started, 1):
            sys.exit("Measuring was aborted.")

    def pass_on(self) -> None:
        """End the turn of this process."""
        if self.ended >= 0:
            os.write(self.ended, b".")
            self.wait()


def run_in_turns(commands: Iterable[tuple[Sequence[str], Mapping[str, str]]]) -> None:
    """Run the commands with their environments, one at a time: each until it ends its turn or exits.

    Raises CalledProcessError if a command fails; the others exit then.
    """
    with ExitStack() as stack:
        running = [_start(command, environment, stack) for command, environment in commands]
        while running:
            for turn in list(running):
                process, end, start = turn
                with suppress(BrokenPipeError):  # it exited while waiting
                    os.write(start, b".")
                if not os.read(end, 1):
                    running.remove(turn)
                    if process.wait():
                        raise subprocess.CalledProcessError(process.returncode, process.args)


def _start(
    command: Sequence[str], environment: Mapping[str, str], stack: ExitStack
) -> tuple[subprocess.Popen[bytes], int, int]:
    its_start, start = os.pipe()
    end, its_end = os.pipe()
    turns = Turns(its_start, its_end)
    process = subprocess.Popen(
        [*command, *turns.arguments], env=environment, pass_fds=(its_start, its_end)
    )
    # Without a turn, a process stops its servers and exits; wait for that.
    stack.callback(process.wait)
    for ours in (end, start):
        stack.callback(os.close, ours)
    for its in (its_start, its_end):
        os.close(its)
    return process, end, start
