"""The background jobs: sealing the audit log, policies, and housekeeping.

Housekeeping deletes expired rows. Each table has a separate job, so that a failing job does not
stop the others.
"""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accessrules.actions.expiry import delete_expired_rules
from accessrules.actions.rule_counts import add_up_rule_counts
from applications.dormancy import apply_policy
from applications.models import DeletedApplication
from applications.oauth.secret_use import BUFFER, WRITE_SECONDS, delete_old_uses
from applications.oauth.token_counts import COUNTER, delete_old_counts
from applications.oauth.tokens import delete_expired_revocations
from runai_access.accounts.models import SignInNetwork, UserSession
from runai_access.api.models import IdempotencyKey
from runai_access.audit.archive import remove_archived
from runai_access.audit.output import OutputJob, pending
from runai_access.audit.sealer import SealingJob
from runai_access.background.job import Job, ShouldContinue
from runai_access.db.batches import delete_in_batches
from runai_access.maintenance.models import Replica
from runai_access.security.throttles import forget_expired

SEALING_SECONDS = 2.0
EXPIRY_SECONDS = 20.0
HOUSEKEEPING_SECONDS = 5 * 60.0
REPLICAS_KEPT = timedelta(days=7)
# Soon after the start, but not during the first requests.
_HOUSEKEEPING_DELAY = 10.0


def default_jobs() -> list[Job]:
    """Return new jobs for a server process. Each process needs its own: sealing has state."""
    writing = Job("write out the audit log", SEALING_SECONDS, OutputJob(), pending_at_stop=pending)
    return [
        Job("seal the audit log", SEALING_SECONDS, SealingJob(), runs_at_stop=True),
        *([writing] if settings.AUDIT_LOG else []),
        Job(
            "write the use of client secrets", WRITE_SECONDS, BUFFER.write,
            in_every_process=True, runs_at_stop=True,
        ),
        Job(
            "write the number of issued tokens", WRITE_SECONDS, COUNTER.write,
            in_every_process=True, runs_at_stop=True,
        ),
        Job("delete expired access rules", EXPIRY_SECONDS, delete_expired_rules),
        _housekeeping("apply the dormancy policy", apply_policy),
        _housekeeping("delete old uses of client secrets", delete_old_uses),
        _housekeeping("delete old numbers of issued tokens", delete_old_counts),
        _housekeeping("add up the numbers of access rules", add_up_rule_counts),
        _housekeeping("empty the trash", delete_expired_applications),
        _housekeeping("delete expired attempt counts", forget_expired),
        _housekeeping("delete expired idempotency keys", delete_expired_idempotency_keys),
        _housekeeping("delete revoked tokens that have expired", delete_expired_revocations),
        _housekeeping("delete expired sessions", delete_expired_sessions),
        _housekeeping("delete replicas that have stopped", delete_old_replicas),
        _housekeeping("delete networks of old sign-ins", delete_expired_networks),
        _housekeeping("delete audit rows that an archive holds", remove_archived),
    ]  # fmt: skip


def delete_expired_idempotency_keys(should_continue: ShouldContinue) -> int:
    """Delete expired idempotency keys and return how many."""
    return delete_in_batches(IdempotencyKey.objects.expired(), should_continue)


def delete_expired_applications(should_continue: ShouldContinue) -> int:
    """Delete what is kept of applications that can no longer be restored, and return how many."""
    return delete_in_batches(DeletedApplication.objects.expired(), should_continue)


def delete_expired_sessions(should_continue: ShouldContinue) -> int:
    """Delete expired sessions, as `clearsessions` does, and return how many."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    deleted = delete_in_batches(expired, should_continue)
    # Servers of version 0.1.0 delete only the session.
    orphans = UserSession.objects.filter(~Exists(Session.objects.filter(pk=OuterRef("pk"))))
    return deleted + delete_in_batches(orphans, should_continue)


def delete_expired_networks(should_continue: ShouldContinue) -> int:
    """Delete networks without a sign-in for SIGN_IN_NETWORK_DAYS, and return how many."""
    return delete_in_batches(SignInNetwork.objects.expired(), should_continue)


def delete_old_replicas(should_continue: ShouldContinue) -> int:
    """Delete replicas that were not seen for a week, and return how many."""
    old = Replica.objects.filter(seen_at__lt=timezone.now() - REPLICAS_KEPT)
    return delete_in_batches(old, should_continue)


def _housekeeping(name: str, run: Callable[[ShouldContinue], object]) -> Job:
    return Job(name, HOUSEKEEPING_SECONDS, run, delay=_HOUSEKEEPING_DELAY)
