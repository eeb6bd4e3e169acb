"""How much the tests with adjustable cost do: little in `make test` and CI, much in `make test-all`."""

import os

from runai_access.settings import IS_SQLITE

IS_LARGE = os.environ.get("TEST_SIZES") == "large"


def size(small: int, large: int) -> int:
    """Return the number for this run: `large` if TEST_SIZES is "large", else `small`."""
    return large if IS_LARGE else small


# Examples that Hypothesis generates for a property, unless its test says otherwise.
EXAMPLES = size(50, 500)
# The same for properties whose examples take longer: of decisions, lists in the database, and files.
DECISION_EXAMPLES = size(15, 200)
LIST_EXAMPLES = size(5, 60)
SCOPE_FILE_EXAMPLES = size(20, 200)

# The authorization state machine: sequences, and steps in each. What they decide does not depend on the
# database; the queries are the same in each sequence.
STATE_MACHINE_EXAMPLES = size(8 if IS_SQLITE else 3, 1000)
STATE_MACHINE_STEPS = 30

# Requests that schemathesis generates for each operation and caller.
SCHEMA_EXAMPLES = size(2, 30)
# Its boundary values for each parameter. There are thousands, so small runs leave them out.
HAS_SCHEMA_COVERAGE = IS_LARGE

# Kills of a server in the middle of its work.
KILL_ROUNDS = size(1, 20)
# Laps of each concurrent writer, and unfinished requests of each kind held together.
WRITER_LAPS = size(2, 10)
UNFINISHED_REQUESTS = size(300, 500)
# Passwords or secrets that each of many connections guesses.
GUESSES = size(2, 4)
# Refusals in a flood: from one source, from addresses that send one or twelve each, and hours with
# three a minute. The audit log records ten a minute of one source, and 600 an hour of all.
FLOOD = size(50, 200)
FLOOD_ADDRESSES = size(650, 1000)
FLOOD_NETWORKS = size(65, 1000)
FLOOD_HOURS = size(3, 24)
