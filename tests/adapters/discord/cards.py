"""Any card and any form at all, for Hypothesis."""

from hypothesis import strategies as st

from bot import cards

NASTY = (
    "@everyone",
    "<@123456789012345678>",
    "<@&9>",
    "<#1>",
    "<t:1>",
    "</wwc:1>",
    "<:x:1>",
    "[bank](https://evil.example)",
    "https://boston.gov@evil.example/",
    "https://a.example/open_data?x=1",
    "```",
    "`",
    "**",
    "# big",
    "-# small",
    "> quote",
    "1. one",
    "\u202e",
    "👩‍👩‍👧‍👦",
    "e" + "\u0301" * 50,
    "\n",
    "\\",
)

texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(NASTY) | st.text(max_size=5), max_size=6).map("".join),
)
long_texts = texts | st.integers(0, 200).map(lambda n: "Ciudad é🌳 " * n)
commands = st.text(min_size=1, max_size=100)
buttons = st.builds(
    cards.Button,
    label=texts,
    command=commands,
    style=st.sampled_from(["normal", "primary", "danger"]),
)
options = st.builds(cards.Option, label=texts, value=texts, hint=texts)
rows = st.integers(0, 4).flatmap(
    lambda n: st.tuples(
        st.tuples(*[texts] * n), st.lists(st.tuples(*[texts] * n), max_size=12).map(tuple)
    )
)


def tuples(of: st.SearchStrategy[object], most: int = 8) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, max_size=most).map(tuple)


parts = st.one_of(
    st.builds(cards.Heading, texts),
    st.builds(cards.Text, long_texts, st.booleans()),
    st.builds(cards.Note, long_texts, st.sampled_from(["info", "good", "warning", "bad"])),
    st.builds(cards.Facts, tuples(st.builds(cards.Fact, texts, texts))),
    st.builds(cards.Entry, texts, tuples(texts, 4), texts, texts, tuples(buttons)),
    rows.map(lambda both: cards.Table(*both)),
    st.builds(cards.Bars, texts, tuples(st.builds(cards.Bar, texts, st.floats(), texts))),
    st.builds(cards.Buttons, tuples(buttons, 12)),
    st.builds(cards.Choice, texts, tuples(options, 30)),
    st.builds(cards.Link, texts, st.just("https://hub.example/calendar/meeting/x.ics")),
    st.just(cards.Divider()),
)
any_card = st.builds(
    cards.Card,
    title=texts,
    parts=tuples(parts, 8),
    footer=texts,
    tone=st.sampled_from(["info", "good", "warning", "bad"]),
    private=st.booleans(),
)

names = st.text("abcdefgh_", min_size=1, max_size=20)
inputs = st.builds(
    cards.Input,
    name=names,
    label=texts,
    value=tuples(texts, 3),
    options=tuples(options, 40),
    many=st.booleans(),
    long=st.booleans(),
    required=st.booleans(),
    hint=texts,
    problem=texts,
    longest=st.integers(0, 9000),
)
any_form = st.builds(
    cards.Form,
    title=texts,
    command=commands,
    inputs=st.lists(inputs, max_size=13, unique_by=lambda given: given.name).map(tuple),
    intro=texts,
    submit=texts,
)
