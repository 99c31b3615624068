"""Codes, addresses and first weeks: what is thought about them before anything is asked."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.joining import (
    ALPHABET,
    CODE_BITS,
    FIRST_WEEK_STEPS,
    MAX_TRIES_PER_ACCOUNT,
    MAX_TRIES_PER_WORKSPACE,
    can_try,
    extract_domain,
    fingerprint,
    format_code,
    generate_code,
    normalize_domain,
    schedule_first_week,
    split_code,
)

BEGIN = datetime(2024, 1, 1, 0, 30, tzinfo=UTC)
NUMBERS = st.integers(0, 2**CODE_BITS - 1)


# --- codes ------------------------------------------------------------------------------------


def test_a_code_can_be_read_aloud() -> None:
    """Twelve letters in three groups, none that looks or sounds like another."""
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)
    assert format_code(0) == "0000-0000-0000"
    assert len(generate_code().replace("-", "")) >= 8
    assert CODE_BITS >= 60


@given(NUMBERS, NUMBERS)
def test_two_numbers_are_two_codes(one: int, other: int) -> None:
    """Nothing of the randomness is lost."""
    assert (format_code(one) == format_code(other)) is (one == other)
    assert (fingerprint(format_code(one)) == fingerprint(format_code(other))) is (one == other)


@given(NUMBERS)
def test_a_code_is_known_however_it_is_typed(number: int) -> None:
    """Small letters, without dashes, with spaces, with O for nought and l for one."""
    code = format_code(number)
    spoken = code.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    for typed in (code.lower(), code.replace("-", ""), f" {code} ", spoken):
        assert fingerprint(typed) == fingerprint(code)
    assert split_code(code.lower()) == ("", code.lower())
    assert code not in fingerprint(code)


@pytest.mark.parametrize(
    "text",
    ["Boston", "São José dos Campos", "82X1-7GHN", "", "a-b-c", "Indianapolis", "East Long Lake",
     "Albany-Troy"],
)  # fmt: skip
def test_no_city_looks_like_a_code(text: str) -> None:
    """A name typed where a code may stand stays a name."""
    assert split_code(text) == (text, "")


@pytest.mark.parametrize(
    "typed",
    ["7K3M-9QXW-2TBC", "7k3m–9qxw–2tbc", "7K3M‑9QXW‑2TBC", "7K3M — 9QXW — 2TBC", "7K3M−9QXW−2TBC",
     "7K3M.9QXW.2TBC", "7K3M 9QXW 2TBC", "7K3M9QXW2TBC", "`7K3M-9QXW-2TBC`", "7K3M-9QXW-2TBC.",
     "7K3M_9QXW_2TBC", "7K3M·9QXW·2TBC", "7K3M\u00ad9QXW\u00ad2TBC"],
)  # fmt: skip
def test_a_code_is_read_however_it_was_pasted(typed: str) -> None:
    """Phones make dashes long, chats put ticks around it; a city may stand before it."""
    assert split_code(typed)[0] == ""
    assert fingerprint(split_code(typed)[1]) == fingerprint("7K3M-9QXW-2TBC")
    assert split_code(f"Boston, {typed}")[0] == "Boston"


def test_tries_end() -> None:
    """Five of one account, fifty of a workspace."""
    assert can_try(MAX_TRIES_PER_ACCOUNT - 1, MAX_TRIES_PER_WORKSPACE - 1)
    assert not can_try(MAX_TRIES_PER_ACCOUNT, 0)
    assert not can_try(0, MAX_TRIES_PER_WORKSPACE)
    assert (MAX_TRIES_PER_ACCOUNT, MAX_TRIES_PER_WORKSPACE) == (5, 50)


# --- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["boston.gov", "Boston.GOV", "@boston.gov", " boston.gov ", "boston.gov."]
)
def test_a_domain_is_one_whatever_its_letters(text: str) -> None:
    """Case, an «@» in front and the dot of the root change nothing."""
    assert normalize_domain(text) == "boston.gov"


@pytest.mark.parametrize(
    "text",
    ["", "boston", ".gov", "boston..gov", "boston.gov..", "-boston.gov", "boston-.gov",
     "bos ton.gov", "b\u043eston.gov", "xn--bston-1of.gov", "boston.gov\n", "boston.gov/x",
     "boston.gov:25", "127.0.0.1", "gmail.com", "GMAIL.com.", "yahoo.com.mx", "outlook.es",
     "hotmail.com", "me.com", "a" * 64 + ".gov", "a." * 130 + "gov", "boston.gov\u200b",
     "boston\uff0egov", "user@boston.gov", "*.gov"],
)  # fmt: skip
def test_what_is_no_domain_of_an_office_is_refused(text: str) -> None:
    """Free mail, look-alikes, disguises, numbers, and whatever else is no plain name."""
    assert normalize_domain(text) == ("boston.gov" if text == "boston.gov\n" else "")


@pytest.mark.parametrize(
    "email", ["maya@boston.gov", "MAYA.chen@Boston.Gov", "m'ba@boston.gov.", "m_c-1@boston.gov"]
)
def test_a_plain_address_proves_its_domain(email: str) -> None:
    """As the mail of an office writes them."""
    assert extract_domain(email) == "boston.gov"


@pytest.mark.parametrize(
    ("email", "domain"),
    [("maya@mail.boston.gov", "mail.boston.gov"),
     ("maya@boston.gov.evil.com", "boston.gov.evil.com"), ("maya@notboston.gov", "notboston.gov"),
     ("maya@gov", ""), ("a@b", "")],
)  # fmt: skip
def test_a_domain_is_exactly_itself(email: str, domain: str) -> None:
    """Neither what is under it nor what it is under: the comparison is for equality."""
    assert extract_domain(email) == domain != "boston.gov"


@pytest.mark.parametrize(
    "email",
    ["", "@", "maya", "maya@", "@boston.gov", "maya@@boston.gov", "maya@boston.gov@evil.com",
     "maya@evil.com@boston.gov", "maya+1@boston.gov", "x%evil.com@boston.gov", '"x"@boston.gov',
     '"x@evil.com"@boston.gov', "x@boston.gov\nBcc:", "x\n@boston.gov", "x @boston.gov",
     "x@ boston.gov", "x@boston.gov ", "m\u0430ya@boston.gov", "maya@b\u043eston.gov",
     ".x@boston.gov", "maya@xn--bston-1of.gov", "maya@gmail.com", "<maya@boston.gov>",
     "evil!maya@boston.gov",
     "maya\u200b@boston.gov", "x" * 80 + "@boston.gov", "maya@boston.gov,x@evil.com"],
)  # fmt: skip
def test_an_address_that_can_be_read_in_two_ways_proves_nothing(email: str) -> None:
    """Second «@», plus, quotes, routes, line breaks, other scripts, lists."""
    assert extract_domain(email) == ""


@given(st.text())
def test_whatever_stands_there_never_fails(text: str) -> None:
    """Any text is an answer, not a fault; what comes out is plain ASCII."""
    for found in (extract_domain(text), normalize_domain(text)):
        assert found.isascii()
        assert found == found.strip().lower()
    assert len(fingerprint(text)) == 64


# --- the first week ---------------------------------------------------------------------------


@given(
    st.integers(0, 366 * 24 * 10).map(lambda hours: BEGIN + timedelta(hours=hours)),
    st.sampled_from(["America/New_York", "America/Bogota", "America/Santiago", "America/St_Johns"]),
)
def test_a_first_week_is_on_working_mornings(now: datetime, zone: str) -> None:
    """One thing a day, at half past nine where the person is, never today nor at a weekend."""
    days = schedule_first_week(now, zone)

    assert [step for step, _ in days] == list(FIRST_WEEK_STEPS)
    local = [at.astimezone(ZoneInfo(zone)) for _, at in days]
    assert all((at.hour, at.minute) == (9, 30) and at.weekday() < 5 for at in local)
    assert len({at.date() for at in local}) == len(FIRST_WEEK_STEPS)
    assert now.astimezone(ZoneInfo(zone)).date() < local[0].date()
    assert local[-1].date() - now.astimezone(ZoneInfo(zone)).date() <= timedelta(days=5)
