"""Classify Slack's answers to a post: accepted, rejected, rate limited or ambiguous."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Literal

from bot.adapters.base import DeliveryError

Scope = Literal["place", "workspace"]

SHORTEST_WAIT = 1.0
"""Shortest wait in seconds: Slack counts in seconds and would reject an earlier try again."""
MAX_FOR_A_PLACE = 2.0
"""Longest wait in seconds that is caused by a channel, which accepts one message a second.

A longer wait comes from the limit of the workspace.
"""

CLOSED_TOKENS = frozenset(
    {
        "account_inactive",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
"""Errors after which nothing can be posted in the workspace until its token is replaced."""

FINAL_ERRORS = frozenset(
    {
        "access_denied",
        "as_user_not_supported",
        "block_mismatch",
        "cannot_dm_bot",
        "cannot_find_user",
        "cant_delete_message",
        "cant_update_message",
        "channel_not_found",
        "channel_type_not_supported",
        "duplicate_channel_not_found",
        "edit_window_closed",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_charset",
        "invalid_form_data",
        "invalid_metadata_format",
        "invalid_users_list",
        "is_archived",
        "is_inactive",
        "markdown_text_conflict",
        "message_not_found",
        "messages_tab_disabled",
        "metadata_too_large",
        "method_not_supported_for_channel_type",
        "missing_scope",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_permission",
        "no_text",
        "not_enough_users",
        "not_in_channel",
        "posting_to_channel_denied",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "slack_connect_blocked_file_type",
        "thread_not_found",
        "too_many_attachments",
        "too_many_users",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "users_list_not_supplied",
        "users_not_found",
    }
)
"""Errors that the same message to the same place would meet every time."""

UNREACHABLE_USER_ERRORS = frozenset(
    {
        "cannot_dm_bot",
        "cannot_find_user",
        "messages_tab_disabled",
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "users_not_found",
    }
)
"""Those of `FINAL_ERRORS` that say that this person cannot get direct messages."""

AMBIGUOUS_ERRORS = frozenset(
    {
        "fatal_error",
        "internal_error",
        "request_timeout",
        "service_unavailable",
        "unknown",
    }
)
"""Slack's own faults: the message may have been posted nevertheless."""

UNREADABLE_ERRORS = CLOSED_TOKENS | {
    "access_denied",
    "channel_not_found",
    "channel_type_not_supported",
    "is_archived",
    "method_not_supported_for_channel_type",
    "missing_scope",
    "no_permission",
    "not_in_channel",
    "thread_not_found",
}
"""Errors that say that the messages of the place cannot be read."""


def parse_error(
    status: int, headers: Mapping[str, str], said: Any, method: str, now: datetime
) -> DeliveryError | None:
    """Return the error an answer stands for, or None if Slack accepted the request.

    `said` is the JSON of the answer, None if it had none. `now` serves to read a Retry-After date.
    """
    word = said.get("error") if isinstance(said, dict) else None
    word = word if isinstance(word, str) and word else ""
    if status == 429 or word in ("ratelimited", "rate_limited"):
        return _rate_limit_error(headers, method, now)
    if status >= 500:
        return DeliveryError(word or f"http_{status}", certain=False)
    if status >= 300:
        return DeliveryError(f"http_{status}")
    if not isinstance(said, dict):
        return DeliveryError("no_answer", certain=False)
    return None if said.get("ok") is True else _delivery_error(word or "unknown")


def _delivery_error(word: str) -> DeliveryError:
    if word in AMBIGUOUS_ERRORS:
        return DeliveryError(word, certain=False)
    if word in CLOSED_TOKENS:
        return DeliveryError(word, final=True, scope="workspace")
    return DeliveryError(
        word, final=word in FINAL_ERRORS, dm_closed=word in UNREACHABLE_USER_ERRORS
    )


def _rate_limit_error(headers: Mapping[str, str], method: str, now: datetime) -> DeliveryError:
    """Return an error with the seconds to wait, at least `SHORTEST_WAIT`, and their scope.

    Slack limits posts by channel and by workspace, other methods by method and workspace.
    """
    wait = max(parse_retry_after(headers.get("Retry-After", ""), now), SHORTEST_WAIT)
    narrow = method == "chat.postMessage" and wait <= MAX_FOR_A_PLACE
    scope: Scope = "place" if narrow else "workspace"
    return DeliveryError("ratelimited", wait=wait, scope=scope)


def parse_retry_after(said: str, now: datetime) -> float:
    """Return the seconds of a Retry-After header, a number or a date; 0 if it is neither."""
    try:
        seconds = float(said)
    except ValueError:
        seconds = _seconds_until(said, now)
    return seconds if isfinite(seconds) and seconds > 0 else 0.0


def _seconds_until(said: str, now: datetime) -> float:
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return 0.0
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
