"""Rounds of writing, killing the server at some moment, starting it again and looking."""

from collections.abc import Callable
from random import Random

from tests.operations.writers import Access, Contents, Made, Writers, ask_for_token
from tests.servers import Server

WRITERS = 6
MOST_ANSWERS = 60


class KillRounds:
    """One server after the other on one database, each killed in the middle of its work.

    `start` is called as tests call `start_server`. Every round looks at everything that any round
    was answered.
    """

    def __init__(self, start: Callable[..., Server], chance: Random) -> None:
        self._start, self._chance = start, chance
        self._server = start()
        self._access = Access.of_administrator(self._server)
        self.made: list[Made] = []

    @property
    def server(self) -> Server:
        return self._server

    @property
    def answered(self) -> int:
        """How many writes were answered so far."""
        return sum(len(one.answered) for one in self.made)

    @property
    def in_doubt(self) -> int:
        """How many writes were under way when the server was killed."""
        return sum(bool(one.in_doubt) for one in self.made)

    def run_one(self) -> list[str]:
        """Write, kill, start again; return what is lost or wrong."""
        writers = Writers(self._server, self._access, writers=WRITERS)
        writers.kill_after(self._chance.randint(1, MOST_ANSWERS))
        self.made += writers.made
        self._server = self._start(database=self._server.database)
        return [
            *writers.faults,
            *Contents(self._server.database).missing(self.made),
            *self._refused(writers.made),
        ]

    def _refused(self, made: list[Made]) -> list[str]:
        """Return whose last secret does not work, of those that should sign in."""
        able = [
            one
            for one in made
            if one.is_known
            and one.in_doubt not in ("secret", "disable", "delete")
            and "disable" not in one.answered
        ]
        answers = {one.name: ask_for_token(self._server, one.name, one.secret) for one in able}
        return [f"{name}: {a.status_code}" for name, a in answers.items() if not a.ok]
