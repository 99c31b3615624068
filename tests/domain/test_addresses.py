"""Addresses are found whole, and only those which show where they lead."""

import pytest

from bot.domain.addresses import show_addresses, split_addresses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.example/X_(y)~z@é, ok", ["https://a.example/X_(y)~z@é"]),
        ("(https://a.example/x) [https://b.example]", ["https://a.example/x", "https://b.example"]),
        ("**https://a.example** _*https://b.example/x*_", ["https://a.example", "https://b.example/x"]),
        ("https://a.example/_x_", ["https://a.example/_x_"]),
        ("http://10.0.0.1:80/x?y#z!", ["http://10.0.0.1:80/x?y#z"]),
        ("https://boston.gov@evil.example https://a.example:1@b.example", []),
        ("https://bоston.gov/a https:// https://-x", []),
        ("https://a.example/[x](https://evil.example)", []),
        ("xhttps://a.example ftp://a.example a.example", []),
        ("https://a.example\\@evil.example", []),
    ],
)  # fmt: skip
def test_addresses_to_link(text: str, found: list[str]) -> None:
    """The rest of the text is not lost."""
    pieces = list(split_addresses(text))
    assert [piece for piece, is_address in pieces if is_address] == found
    assert "".join(piece for piece, _ in pieces) == text


def test_only_what_would_run_is_broken_up() -> None:
    """A field that happens to be called so is none of that."""
    same = "{data:1} file:plan.pdf metadata:x blob:y javascript is fun"
    assert show_addresses(same) == same
    assert show_addresses("data:text/html,x _javascript:x") == "data: text/html,x _javascript: x"
