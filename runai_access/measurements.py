"""What this process measures, for Prometheus. `runai_access.metrics` publishes it.

docs/metrics.md describes each metric. No label has unbounded values: a route is a pattern of the
URLconf, never a path.
"""

from prometheus_client import Counter, Gauge, Histogram

PREFIX = "runai_access"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter(f"{PREFIX}_http_requests", "Answered requests.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    f"{PREFIX}_http_request_duration_seconds",
    "Time to answer a request in a thread.",
    ["method", "route"],
    buckets=SECONDS,
)
REFUSED = Counter(
    f"{PREFIX}_http_requests_refused", "Requests refused without a thread.", ["reason"]
)
THREADS_BUSY = Gauge(
    f"{PREFIX}_threads_busy", "Threads that handle a request.", multiprocess_mode="livesum"
)
REQUESTS_WAITING = Gauge(
    f"{PREFIX}_requests_waiting", "Requests that wait for a thread.", multiprocess_mode="livesum"
)
READY = Gauge(
    f"{PREFIX}_workers_ready", "Workers that are ready to serve.", multiprocess_mode="livesum"
)

TOKENS_ISSUED = Counter(f"{PREFIX}_tokens_issued", "Issued tokens.", ["route"])
TOKENS_REFUSED = Counter(f"{PREFIX}_tokens_refused", "Refused token requests.", ["reason"])

ARGON2_WAITING = Gauge(
    f"{PREFIX}_argon2_waiting",
    "Passwords and secrets that wait to be hashed.",
    ["kind"],
    multiprocess_mode="livesum",
)
ARGON2_SECONDS = Histogram(
    f"{PREFIX}_argon2_duration_seconds",
    "Time for hashing a password or secret, including the wait.",
    ["kind"],
    buckets=SECONDS,
)
ARGON2_REFUSED = Counter(
    f"{PREFIX}_argon2_refused", "Hashes refused because too many were waiting.", ["kind"]
)

DATABASE_ERRORS = Counter(
    f"{PREFIX}_database_errors", "Requests and jobs that failed in the database.", ["kind"]
)

JOB_RUNS = Counter(f"{PREFIX}_background_job_runs", "Runs of background jobs.", ["name", "result"])
JOB_SECONDS = Gauge(
    f"{PREFIX}_background_job_last_duration_seconds",
    "Duration of the last run.",
    ["name"],
    multiprocess_mode="mostrecent",
)
JOB_SUCCESS = Gauge(
    f"{PREFIX}_background_job_last_success_timestamp_seconds",
    "Time of the last successful run in this replica.",
    ["name"],
    multiprocess_mode="max",
)
LEADER = Gauge(
    f"{PREFIX}_background_leader",
    "1 if a process of this replica runs the background jobs.",
    multiprocess_mode="livesum",
)
