"""What Slack's answers say about a message: taken, refused, told to wait, or nobody knows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Literal

from bot.adapters.base import DeliveryError

Scope = Literal["place", "workspace"]

SHORTEST_WAIT = 1.0
"""Slack counts in seconds; to come back at once would only be refused again."""
LONGEST_FOR_A_PLACE = 2.0
"""A channel takes a message a second: who is told to wait longer has met the workspace's cap."""

CLOSED_TOKENS = frozenset({
    "account_inactive", "ekm_access_denied", "enterprise_is_restricted", "invalid_auth",
    "not_allowed_token_type", "not_authed", "org_login_required", "team_access_not_granted",
    "token_expired", "token_revoked",
})  # fmt: skip
"""Nothing can be said in that workspace as things are."""

FINAL_ERRORS = frozenset({
    "access_denied", "as_user_not_supported", "block_mismatch", "cannot_dm_bot", "cannot_find_user",
    "cant_delete_message", "cant_update_message", "channel_not_found", "channel_type_not_supported",
    "duplicate_channel_not_found", "edit_window_closed", "invalid_arg_name", "invalid_arguments",
    "invalid_array_arg", "invalid_blocks", "invalid_blocks_format", "invalid_charset",
    "invalid_form_data", "invalid_metadata_format", "invalid_users_list", "is_archived",
    "is_inactive", "markdown_text_conflict", "message_not_found", "messages_tab_disabled",
    "metadata_too_large", "method_not_supported_for_channel_type", "missing_scope",
    "msg_blocks_too_long", "msg_too_long", "no_permission", "no_text", "not_enough_users",
    "not_in_channel", "posting_to_channel_denied",
    "restricted_action", "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel", "restricted_action_thread_locked",
    "restricted_action_thread_only_channel", "slack_connect_blocked_file_type", "thread_not_found",
    "too_many_attachments", "too_many_users", "user_disabled", "user_not_found",
    "user_not_visible", "users_list_not_supplied", "users_not_found",
})  # fmt: skip
"""The same message to the same place would be refused for ever."""

UNREACHABLE_USER_ERRORS = frozenset({
    "cannot_dm_bot", "cannot_find_user", "messages_tab_disabled", "user_disabled",
    "user_not_found", "user_not_visible", "users_not_found",
})  # fmt: skip
"""Of these, the ones that a person will never get a direct message with."""

AMBIGUOUS_ERRORS = frozenset({
    "fatal_error", "internal_error", "request_timeout", "service_unavailable", "unknown",
})  # fmt: skip
"""Slack's own trouble: the message may be there all the same."""

UNREADABLE_ERRORS = CLOSED_TOKENS | {
    "access_denied", "channel_not_found", "channel_type_not_supported", "is_archived",
    "method_not_supported_for_channel_type", "missing_scope", "no_permission", "not_in_channel",
    "thread_not_found",
}  # fmt: skip
"""Refusals that mean: what is written there cannot be seen."""


def refusal(
    status: int, headers: Mapping[str, str], said: Any, method: str, now: datetime
) -> DeliveryError | None:
    """What an answer means for the message; None where it was taken. `said`: the JSON, if any."""
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
    """Slack limits posts by channel and by workspace, and the rest by method and workspace."""
    wait = max(parse_retry_after(headers.get("Retry-After", ""), now), SHORTEST_WAIT)
    narrow = method == "chat.postMessage" and wait <= LONGEST_FOR_A_PLACE
    scope: Scope = "place" if narrow else "workspace"
    return DeliveryError("ratelimited", wait=wait, scope=scope)


def parse_retry_after(said: str, now: datetime) -> float:
    """The seconds of a Retry-After: a number or a date; none where it says nothing."""
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
