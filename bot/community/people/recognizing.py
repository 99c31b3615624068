"""Says what words without a verb may be: a topic, a person or a city."""

from bot.commands import Context, recognizes
from bot.community.people.finding import find_people
from bot.community.people.places import visible_gazetteer
from bot.domain.recognition import CLOSE, EXACT, FOUND, GUESS, NEAR
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import fold_text, parse_words
from db import search

_LIKELY = {"exact": EXACT, "close": CLOSE, "part": CLOSE - 2, "guess": NEAR}


@recognizes("who-does")
async def recognize_topic(ctx: Context, words: str) -> float:
    """Return how likely the words are a topic, with or without filters, or words of a profile."""
    text = " ".join(parse_words(words, ctx.commands["who-does"].arguments).get("topic", ()))
    readings = ctx.reference.topic_reader.read(text)
    if readings:
        likely = min(_LIKELY[reading.precision] for reading in readings)
        if likely > NEAR:
            return likely
    if ctx.viewer and await search.find_refs(ctx.session, "member", text, ctx.viewer.city_id, 1):
        return FOUND
    return NEAR if readings or ctx.reference.vocabulary.find_near(text) else GUESS


@recognizes("who-is")
async def recognize_person(ctx: Context, words: str) -> float:
    """Return how likely the words are the mention, the name or a part of the name of somebody."""
    if words.isdigit():
        return 0
    try:
        found = await find_people(ctx, words)
    except (InvalidArgumentError, Refusal):
        return 0
    named = fold_text(words) in (fold_text(person.name) for person in found)
    return EXACT if named or words.startswith("<@") else FOUND + 1  # rather than a profile's words


@recognizes("city")
async def recognize_city(ctx: Context, words: str) -> float:
    """Return how likely the words are the name of a city that the asker may see."""
    known = visible_gazetteer(ctx)
    if known.find_exact(words):
        return EXACT - 1
    return CLOSE - 1 if known.find_cities(words) else 0
