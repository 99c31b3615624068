"""Reference data that changes rarely and is needed always: topics, cities and areas, in memory."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.atlas import Atlas
from bot.domain.gazetteer import COUNTRIES, Gazetteer, Place
from bot.domain.topics import TopicReader
from bot.domain.vocabulary import Term, Vocabulary
from bot.i18n import territory_names
from db import cities, standard, topics
from db.cities import City
from db.standard import PracticeArea
from db.text import analyse, fold_text, query_tokens, split_words
from db.topics import Topic

CACHE_LIFETIME = timedelta(seconds=60)
"""How long a process may miss that another one changed the vocabulary."""


@dataclass(frozen=True)
class Reference:
    """The reference data by id, read once and shared by all requests."""

    read_at: datetime
    topics: dict[int, Topic]
    cities: dict[int, City]
    areas: dict[int, PracticeArea]

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The topics, to be found by name."""
        return Vocabulary(_terms(self.topics), fold_text)

    @cached_property
    def topic_reader(self) -> TopicReader:
        """The topics, to be found by name, by a part of it, and several at once."""
        return TopicReader(_terms(self.topics), fold_text, analyse, split_words, query_tokens)

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """The cities, to be found by name."""
        return Gazetteer(map(_build_place, self.cities.values()), fold_text)

    @cached_property
    def atlas(self) -> Atlas:
        """The countries, regions, states and cities, to be found by name."""
        countries = {
            code: tuple(dict.fromkeys((*COUNTRIES.get(code, ()), *names)))
            for code, names in territory_names().items()
        }
        return Atlas(self.gazetteer, fold_text, countries)

    @cached_property
    def public_gazetteer(self) -> Gazetteer:
        """The certified cities, which may be named to everybody."""
        return Gazetteer((_build_place(c) for c in self.cities.values() if c.certified), fold_text)

    def is_fresh(self, now: datetime) -> bool:
        """Return whether it may be used without asking the database."""
        return timedelta(0) <= now - self.read_at < CACHE_LIFETIME


async def load_reference(session: AsyncSession, now: datetime) -> Reference:
    """Read all reference data from the database, in six queries."""
    return Reference(
        read_at=now,
        topics={t.id: t for t in await topics.list_topics(session)},
        cities={c.id: c for c in await cities.list_cities(session)},
        areas={a.id: a for a in await standard.list_areas(session)},
    )


def _terms(all_topics: dict[int, Topic]) -> list[Term]:
    return [
        Term(topic.id, term.term, term.language, term.preferred)
        for topic in all_topics.values()
        for term in sorted(topic.terms, key=lambda t: not t.preferred)
    ]


def _build_place(city: City) -> Place:
    return Place(
        key=city.id,
        names=(city.name, city.place, *(n.name for n in city.names), city.slug.replace("-", " ")),
        state=city.state,
        country_code=city.country_code,
        level=city.level,
        population=city.population,
        latitude=city.latitude,
        longitude=city.longitude,
    )
