"""Every kind of reply: each part alone, the longest, the emptiest, the most hostile."""

from collections.abc import Callable
from typing import Any, cast

from hypothesis import strategies as st

from bot.cards import (
    MAX_COMMAND_LENGTH,
    Bar,
    Bars,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Fact,
    Facts,
    Form,
    Heading,
    Input,
    Link,
    Note,
    Option,
    Part,
    Reply,
    Table,
    Text,
    Written,
)

HOSTILE = {
    "slack mentions": "<!channel> <!here> <!everyone> <@U012AB3CD> <!subteam^S1> <#C1|general>",
    "discord mentions": "@everyone @here <@1234567890123456789> <@!1> <@&2> <#3> </help:4>",
    "markdown": "**b** __u__ *i* _i_ ~~s~~ ||x|| # h\n> q\n- l\n1. n\n[a](https://evil.example)",
    "code": "`` ` ``` ```py\nprint(1)\n``` ````",
    "links": "[x](javascript:alert(1)) <javascript:alert(1)|x> https://evil.example/@everyone",
    "html": "<script>alert(1)</script> <img src=x onerror=alert(1)> &lt;b&gt; &amp;",
    "format strings": "{0.__class__} {} %n %s ${7*7} {{7*7}} #{7*7} =cmd()|' /C calc'!A0",
    "sql": "'; DROP TABLE member;-- \" OR 1=1",
    "combining": "e" + "\u0301" * 500,
    "control": "a\x00b\x07c\x1b[31md\x7fe\r\nf\u2028g\u0085h",
    "right to left": "مدينة البيانات \u202eevil\u202c עיר הנתונים",
    "emoji": "🌳👩🏽‍💻👨‍👩‍👧‍👦🏳️‍🌈🇧🇷1️⃣",
    "invisible": "\u200b\u2060\ufeff\u00ad",
    "spaces": " \u00a0\t\n ",
    "dates": "<!date^1392734382^{date}|x> <t:1618953630:R>",
    "lone surrogate": "a\ud800b",
    "long word": "x" * 5000,
    "long text": "words and words " * 400,
}


def every_part(text: str, short: str = "") -> tuple[Part, ...]:
    """Each kind of part, filled with the text wherever a text can be."""
    button = Button(short or text[:60] or "·", "help")
    return (
        Heading(text),
        Text(text),
        Text(text, quiet=True),
        Written(text),
        *(Note(text, tone) for tone in ("info", "good", "warning", "bad")),
        Facts((Fact(text, text), Fact(text, ""), Fact("", text))),
        Entry(text, (text, text), note=text, badge=text, buttons=(button,)),
        Table((text, text), ((text, text), ("", text))),
        Bars(text, (Bar(text, 1.5, text), Bar(text, 0, ""))),
        Buttons((button, Button(text or "·", "city x", "danger"))),
        Choice(text, (Option(text, "topics", text), Option(text, "help"))),
        Link(text, "https://hub.example/calendar/meeting/abc-DEF_123.ics"),
        Divider(),
    )


def card_of(text: str) -> Card:
    """A card of every part with this text everywhere."""
    return Card(text, every_part(text), footer=text)


def form_of(text: str) -> Form:
    """A form of every field with this text everywhere."""
    options = tuple(Option(f"{text[:50]}{n}", f"v{n}", text) for n in range(3))
    return Form(
        text,
        "profile",
        (
            Input("line", text, (text,), hint=text, problem=text, required=True),
            Input("story", text, (text,), long=True, hint=text),
            Input("one", text, ("v1",), options=options, hint=text, problem=text),
            Input("several", text, ("v0", "v2"), options=options, many=True),
            Input("topics", text, (text, text), many=True, suggests="topic"),
            Input("wrong", text, (text,), options=options, problem=text),
        ),
        intro=text,
        submit=text[:20] or "OK",
    )


_ONE: dict[str, Part] = {
    type(part).__name__.lower(): part for part in every_part("Open data in four cities")
}
_MANY = range(100)
_LONGEST = "c" * MAX_COMMAND_LENGTH

GALLERY: dict[str, Reply] = {
    **{f"only {name}": Card("Title", (part,)) for name, part in _ONE.items()},
    **{f"card: {name}": card_of(text) for name, text in HOSTILE.items()},
    **{f"form: {name}": form_of(text) for name, text in HOSTILE.items()},
    "nothing": Card(""),
    "only a title": Card("Title"),
    "empty parts": Card("", every_part(""), footer=""),
    "empty groups": Card("T", (
        Facts(()), Entry(""), Table((), ()), Table(("a",), ()), Bars("", ()), Buttons(()),
        Choice("", ()), Divider(), Divider(),
    )),
    "only dividers": Card("T", (Divider(),) * 5),
    "100 entries": Card("T", tuple(
        Entry(f"Person {n}", ("Title", "Boston, MA · English"), "open to questions", "invented",
              (Button("Profile", f"who-is {n}"), Button("Why?", f"why {n} open-data")))
        for n in _MANY
    )),
    "100 of each": Card("T", tuple(part for _ in _MANY for part in every_part("Open data"))),
    "200 rows": Card("T", (Table(("Topic", "People"), (("open data", "12"),) * 200),)),
    "50 columns": Card("T", (Table(("c",) * 50, (("x" * 80,) * 50,) * 5),)),
    "300 facts": Card("T", (Facts((Fact("Label", "value"),) * 300),)),
    "100 bars": Card("T", (Bars("c", tuple(Bar(f"b{n}", n, str(n)) for n in _MANY)),)),
    "odd bars": Card("T", (Bars("c", (
        Bar("minus", -5, "-5"), Bar("nan", float("nan"), "?"), Bar("inf", float("inf"), "∞"),
        Bar("huge", 1e308, "1e308"), Bar("tiny", 1e-308, "0"),
    )),)),
    "100 buttons": Card("T", (Buttons(tuple(Button(f"b{n}", f"who-is {n}") for n in _MANY)),)),
    "same buttons": Card("T", (Buttons((Button("b", "help"),) * 30),)),
    "longest commands": Card("T", (
        Buttons((Button("x" * 500, _LONGEST),) * 3), Entry("e", buttons=(Button("y", _LONGEST),)),
    )),
    "100 options": Card("T", (
        Choice("c", tuple(Option(f"o{n}", f"topics {n}") for n in _MANY)),
    )),
    "same options": Card("T", (Choice("c", (Option("o", "help"),) * 30),)),
    "long options": Card("T", (
        Choice("c" * 500, (Option("o" * 500, "v" * 500, "h" * 500), Option("", ""))),
    )),
    "public": Card("T", (Text("x"),), private=False, tone="good"),
    "no inputs": Form("Form", "profile", ()),
    **{f"{count} inputs": Form("Form", "profile", tuple(
        Input(f"f{n}", f"L{n}", problem=f"No {n}", required=True) for n in range(count)
    ), intro="Why") for count in (1, 4, 5, 6, 11)},
    "60 inputs": Form("Form", "profile", tuple(
        Input(f"field{n}", f"Label {n}", ("x",), hint="hint", problem="no" if n % 3 else "")
        for n in range(60)
    )),
    "60 choices": Form("Form", "profile", tuple(
        Input(f"f{n}", f"L{n}", ("v1",), tuple(Option(f"o{i}", f"v{i}") for i in range(4)))
        for n in range(60)
    )),
    "100 form options": Form("Form", "profile", (
        Input("f", "L", ("v3", "v77"), tuple(Option(f"o{i}", f"v{i}") for i in _MANY), many=True),
    )),
    "longest values": Form("F" * 500, "profile", (
        Input("a", "L" * 500, ("v" * 10_000,), hint="h" * 5000, problem="p" * 5000),
        Input("b", "L", ("v" * 10_000,), long=True, longest=10_000),
        Input("c", "L", ("",), longest=1),
        Input("d", "L", tuple(f"topic {n}" for n in _MANY), many=True, suggests="topic"),
    ), intro="i" * 10_000, submit="s" * 100),
}  # fmt: skip
CARDS = {name: reply for name, reply in GALLERY.items() if isinstance(reply, Card)}
FORMS = {name: reply for name, reply in GALLERY.items() if isinstance(reply, Form)}


# --- at random --------------------------------------------------------------------------------

texts = st.one_of(
    st.text(max_size=60),
    st.sampled_from(sorted(HOSTILE.values())),
    st.builds("".join, st.lists(st.sampled_from("<>@&*_`~|[]()#:\\ \nx🌳é"), max_size=40)),
)
_commands = st.text("abc é<@:\"'", min_size=1, max_size=MAX_COMMAND_LENGTH)
_buttons = st.builds(
    Button, label=texts, command=_commands, style=st.sampled_from(["normal", "primary", "danger"])
)
_options = st.builds(Option, label=texts, value=_commands, hint=texts)


def _tuples_of(what: st.SearchStrategy[Any], most: int = 8) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(what, max_size=most).map(tuple)


_tables = st.integers(1, 5).flatmap(
    lambda wide: st.builds(
        Table,
        columns=st.tuples(*[texts] * wide),
        rows=_tuples_of(st.tuples(*[texts] * wide)),
    )
)
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Heading, texts),
    st.builds(Text, texts, quiet=st.booleans()),
    st.builds(Note, texts, tone=st.sampled_from(["info", "good", "warning", "bad"])),
    st.builds(Facts, _tuples_of(st.builds(Fact, texts, texts), 30)),
    st.builds(Entry, texts, _tuples_of(texts), texts, texts, _tuples_of(_buttons)),
    _tables,
    st.builds(Bars, texts, _tuples_of(st.builds(Bar, texts, st.floats(), texts))),
    st.builds(Buttons, _tuples_of(_buttons, 30)),
    st.builds(Choice, texts, _tuples_of(_options, 40)),
    st.builds(Link, texts, st.just("http://127.0.0.1:8080/calendar/meeting/x.ics")),
    st.builds(Divider),
)


def cards() -> st.SearchStrategy[Card]:
    """Cards of any parts in any order, with any text."""
    return st.builds(
        Card,
        title=texts,
        parts=_tuples_of(_parts, 14),
        footer=texts,
        tone=st.sampled_from(["info", "good", "warning", "bad"]),
        private=st.booleans(),
    )


@st.composite
def forms(draw: Callable[[Any], Any]) -> Form:
    """Forms of any fields; names are those of Python, as the declarations give them."""
    names = draw(st.lists(st.from_regex(r"[a-z][a-z_]{0,30}", fullmatch=True), max_size=12,
                          unique=True))  # fmt: skip
    inputs = tuple(draw(_input(name)) for name in names)
    return Form(draw(texts), "profile", inputs, intro=draw(texts), submit=draw(texts) or "OK")


def _input(name: str) -> st.SearchStrategy[Input]:
    return cast(
        "st.SearchStrategy[Input]",
        st.builds(
            Input,
            name=st.just(name),
            label=texts,
            value=_tuples_of(texts, 4),
            options=_tuples_of(_options, 30),
            many=st.booleans(),
            long=st.booleans(),
            required=st.booleans(),
            hint=texts,
            problem=texts,
            longest=st.integers(1, 5000),
            suggests=st.sampled_from(["", "topic"]),
        ),
    )
