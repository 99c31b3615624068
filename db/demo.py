"""Invents city data people for the demo of a community that has no members yet.

The same cities, topics and seed always give the same people, so that a demo, a bug report and
a test can speak of the same person.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random

from db import demo_names
from db.demo_names import Viewer

FIELDS = ("title", "bio", "topics", "languages", "hours")
BIG_CITY = 250_000
OWN_CITY_SHARE = 0.03
UNKNOWN_SIZE = 100_000  # an unknown population neither hides a city nor makes it a metropolis
FLAGSHIP, FLAGSHIP_SHARE = "open-data", 0.08
HOLDERS, COUNTRIES = 3, 2  # the least for each topic, as far as the people suffice

# How often a person who writes in one language also speaks another.
ALSO_SPEAKS = {
    "en": {"es": 0.22, "pt": 0.03, "fr": 0.05},
    "es": {"en": 0.65, "pt": 0.12, "fr": 0.05},
    "pt": {"en": 0.60, "es": 0.45, "fr": 0.05},
    "fr": {"en": 0.95, "es": 0.15},
}
CANADIAN_ALSO_SPEAKS = {"es": 0.05, "fr": 0.35}
FRANCOPHONE_SHARE = 0.4  # of the people of a Canadian city that works in English
HOURS = {
    "en": (("08:00", "16:30"), ("08:30", "17:00"), ("09:00", "17:30"), ("07:30", "16:00")),
    "es": (("08:00", "16:00"), ("09:00", "18:00"), ("08:30", "17:30"), ("08:00", "17:00")),
    "pt": (("08:00", "17:00"), ("09:00", "18:00"), ("08:30", "17:30"), ("10:00", "19:00")),
    "fr": (("08:00", "16:00"), ("08:30", "16:30"), ("09:00", "17:00")),
}


@dataclass(frozen=True, slots=True)
class DemoCity:
    slug: str
    name: str
    state: str
    country_code: str
    language: str
    zone: str
    population: int | None


@dataclass(frozen=True, slots=True)
class DemoPerson:
    name: str
    email: str
    city: str
    title: str
    bio: str
    language: str
    languages: tuple[str, ...]
    zone: str
    hours: tuple[str, str]
    knows: tuple[tuple[str, int], ...]
    learns: tuple[str, ...]
    open_to_questions: bool
    monthly_asks: int | None
    asks_taken: int
    confirmed_days_ago: int
    visibility: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _PersonDraft:
    """A person whose skills are not chosen yet."""

    city: DemoCity
    name: str
    woman: bool
    language: str
    languages: tuple[str, ...]
    viewer: Viewer | None
    own_city_only: bool


def invent_people(
    cities: Sequence[DemoCity],
    topics: Sequence[tuple[str, str]],
    seed: int = 2026,
    count: int = 400,
) -> Iterator[DemoPerson]:
    """Generate the people of the demo, its viewers first; topics are (slug, area slug)."""
    rng = Random(seed)  # noqa: S311 - repeatable on purpose, nothing here is a secret
    drafts = _drafts(rng, cities, count)
    mains = _main_topics(rng, drafts, topics)
    skills = _skills(rng, drafts, mains, topics)
    area_of = dict(topics)
    emails: set[str] = set()
    for draft, main, levels in zip(drafts, mains, skills, strict=True):
        email = demo_names.invent_email(draft.name, draft.city.slug, emails)
        yield _person(rng, draft, email, area_of.get(main, ""), levels, topics)


def _drafts(rng: Random, cities: Sequence[DemoCity], count: int) -> list[_PersonDraft]:
    homes = [(viewer, _home_city(viewer, cities)) for viewer in demo_names.load_names()["viewers"]]
    viewers = [_viewer_draft(viewer, city) for viewer, city in homes if city][:count]
    seats = _seats(cities, [draft.city for draft in viewers], count)
    rng.shuffle(seats)
    hidden = set(rng.sample(range(len(seats)), round(len(seats) * OWN_CITY_SHARE)))
    taken = {(draft.name, draft.city.slug) for draft in viewers}
    others = [_draft(rng, city, place in hidden, taken) for place, city in enumerate(seats)]
    return viewers + others


def _home_city(viewer: Viewer, cities: Sequence[DemoCity]) -> DemoCity | None:
    """Return the viewer's own place, or else the biggest city of the same country, if any."""
    by_slug = {city.slug: city for city in cities}
    for place in viewer["places"]:
        if place in by_slug:
            return by_slug[place]
    country = [city for city in cities if city.country_code == viewer["country_code"]]
    return max(country, key=_size, default=None)


def _viewer_draft(viewer: Viewer, city: DemoCity) -> _PersonDraft:
    return _PersonDraft(
        city=city,
        name=viewer["name"],
        woman=viewer["woman"],
        language=viewer["language"],
        languages=tuple(viewer["languages"]),
        viewer=viewer,
        own_city_only=False,
    )


def _size(city: DemoCity) -> int:
    return UNKNOWN_SIZE if city.population is None else city.population


def _seats(cities: Sequence[DemoCity], taken: Sequence[DemoCity], count: int) -> list[DemoCity]:
    """Return the cities of the people still to be invented, `count` less those already placed.

    Each city has one person, a big one two, and the rest follow the root of the population.
    """
    biggest = sorted(cities, key=_size, reverse=True)
    wanted = biggest + [city for city in biggest if _size(city) >= BIG_CITY]
    for city in taken:
        if city in wanted:
            wanted.remove(city)
    free = max(0, count - len(taken))
    seats = wanted[:free]
    filled = Counter(city.slug for city in (*taken, *seats))
    while biggest and len(seats) < free:
        city = max(biggest, key=lambda city: sqrt(_size(city)) / (filled[city.slug] + 1))
        filled[city.slug] += 1
        seats.append(city)
    return seats


def _draft(rng: Random, city: DemoCity, hidden: bool, taken: set[tuple[str, str]]) -> _PersonDraft:
    language = _mother_tongue(rng, city)
    groups = demo_names.load_names()["groups"][_region(city, language)]
    group = rng.choices(groups, [group["weight"] for group in groups])[0]
    woman = rng.random() < 0.52
    name = demo_names.invent_name(rng, group, woman, language, city.slug, taken)
    return _PersonDraft(
        city=city,
        name=name,
        woman=woman,
        language=language,
        languages=_languages(rng, city, language, group["speaks"]),
        viewer=None,
        own_city_only=hidden,
    )


def _mother_tongue(rng: Random, city: DemoCity) -> str:
    if city.country_code == "CA" and city.language == "en" and rng.random() < FRANCOPHONE_SHARE:
        return "fr"
    return city.language


def _region(city: DemoCity, language: str) -> str:
    if language == "en":
        return "CA" if city.country_code == "CA" else "US"
    return {"es": "ES", "pt": "BR", "fr": "QC"}[language]


def _languages(rng: Random, city: DemoCity, mother: str, certain: list[str]) -> tuple[str, ...]:
    chances = ALSO_SPEAKS[mother]
    if mother == "en" and city.country_code == "CA":
        chances = CANADIAN_ALSO_SPEAKS
    more = [also for also, chance in chances.items() if rng.random() < chance or also in certain]
    return (mother, *more)


def _main_topics(
    rng: Random, drafts: Sequence[_PersonDraft], topics: Sequence[tuple[str, str]]
) -> list[str]:
    """Deal each person a first topic, like cards, so that every topic is used."""
    if not topics:
        return [""] * len(drafts)
    deck = [slug for slug, _ in topics]
    rng.shuffle(deck)
    return [_main_topic(draft, deck[i % len(deck)], topics) for i, draft in enumerate(drafts)]


def _main_topic(draft: _PersonDraft, dealt: str, topics: Sequence[tuple[str, str]]) -> str:
    if draft.viewer is None:
        return dealt
    area = draft.viewer["area"]
    return next((slug for slug, its_area in topics if its_area == area), dealt)


def _skills(
    rng: Random,
    drafts: Sequence[_PersonDraft],
    mains: Sequence[str],
    topics: Sequence[tuple[str, str]],
) -> list[dict[str, int]]:
    if not topics:
        return [{} for _ in drafts]
    ranks = rng.sample(range(len(topics)), len(topics))
    favour = [1 / (rank + 10) for rank in ranks]  # so that some topics are more common than others
    skills = [
        _some_topics(rng, draft, main, topics, favour)
        for draft, main in zip(drafts, mains, strict=True)
    ]
    for slug, _ in topics:
        while (who := _find_extra_holder(slug, drafts, skills)) is not None:
            skills[who][slug] = rng.choice((1, 2, 2, 3))
    if FLAGSHIP in dict(topics):
        _spread_flagship(rng, drafts, skills)
    return skills


def _spread_flagship(
    rng: Random, drafts: Sequence[_PersonDraft], skills: Sequence[dict[str, int]]
) -> None:
    """Give the topic that visitors of the demo try first to people of every country."""
    seen: Counter[str] = Counter()
    for draft, levels in zip(drafts, skills, strict=True):
        country = draft.city.country_code
        if draft.own_city_only:
            continue
        if seen[country] < 2 or rng.random() < FLAGSHIP_SHARE:
            levels.setdefault(FLAGSHIP, rng.choice((1, 2, 2, 3)))
            seen[country] += 1


def _some_topics(
    rng: Random,
    draft: _PersonDraft,
    main: str,
    topics: Sequence[tuple[str, str]],
    favour: Sequence[float],
) -> dict[str, int]:
    area = dict(topics)[main]
    near = [slug for slug, its_area in topics if its_area == area]
    levels = {main: 3 if draft.viewer else rng.choice((2, 2, 3))}
    extra = 4 if draft.viewer else rng.choices((0, 1, 2, 3, 4), (1, 3, 4, 3, 1))[0]
    for _ in range(extra):
        stay = rng.random() < 0.65
        slug = rng.choice(near) if stay else rng.choices(topics, favour)[0][0]
        levels.setdefault(slug, rng.choices((1, 2, 3), (3, 4, 2))[0])
    return levels


def _find_extra_holder(
    slug: str, drafts: Sequence[_PersonDraft], skills: Sequence[dict[str, int]]
) -> int | None:
    """Return who should also know a topic that too few people, or too few countries, know.

    The result is an index into `drafts`; None if enough know it.
    """
    public = [place for place, draft in enumerate(drafts) if not draft.own_city_only]
    holders = [place for place in public if slug in skills[place]]
    known_in = {drafts[place].city.country_code for place in holders}
    rest = [place for place in public if slug not in skills[place]]
    abroad = [place for place in rest if drafts[place].city.country_code not in known_in]
    few_countries = len(known_in) < COUNTRIES and bool(abroad)
    if not few_countries and len(holders) >= HOLDERS:
        return None
    choice = abroad if few_countries else rest
    return min(choice, key=lambda place: len(skills[place]), default=None)


def _person(
    rng: Random,
    draft: _PersonDraft,
    email: str,
    area: str,
    levels: Mapping[str, int],
    topics: Sequence[tuple[str, str]],
) -> DemoPerson:
    monthly = _monthly_asks(rng)
    return DemoPerson(
        name=draft.name,
        email=email,
        city=draft.city.slug,
        title=_title(rng, draft, area),
        bio=_bio(rng, draft, area),
        language=draft.language,
        languages=draft.languages,
        zone=draft.city.zone,
        hours=rng.choice(HOURS[draft.city.language]),
        knows=tuple(levels.items()),
        learns=_topics_to_learn(rng, levels, topics),
        open_to_questions=draft.viewer is not None or rng.random() < 0.75,
        monthly_asks=monthly,
        asks_taken=_asks_taken(rng, monthly),
        confirmed_days_ago=_days_since_confirmation(rng, draft),
        visibility=_visibility(rng, draft),
    )


def _title(rng: Random, draft: _PersonDraft, area: str) -> str:
    if draft.viewer is not None:
        return draft.viewer["title"]
    titles = demo_names.load_texts()[draft.language]["titles"]
    # The area's own titles count twice, as most people's titles say what they do.
    masculine, _, feminine = rng.choice(titles[""] + titles.get(area, []) * 2).partition("|")
    return feminine if draft.woman and feminine else masculine


def _bio(rng: Random, draft: _PersonDraft, area: str) -> str:
    if draft.viewer is not None:
        return draft.viewer["bio"]
    texts = demo_names.load_texts()[draft.language]
    anything = [line for lines in texts["work"].values() for line in lines]
    return rng.choice(texts["bios"]).format(
        work=rng.choice(texts["work"].get(area, anything)),
        before=rng.choice(texts["before"]),
        hobby=rng.choice(texts["hobby"]),
        offer=rng.choice(texts["offer"]),
        years=rng.randint(2, 15),
        city=draft.city.name,
    )


def _topics_to_learn(
    rng: Random, levels: Mapping[str, int], topics: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """Choose up to three topics that the person does not know yet."""
    unknown = [slug for slug, _ in topics if slug not in levels]
    return tuple(rng.sample(unknown, min(len(unknown), rng.randint(0, 3))))


def _monthly_asks(rng: Random) -> int | None:
    return None if rng.random() < 0.4 else rng.randint(2, 8)


def _asks_taken(rng: Random, monthly: int | None) -> int:
    if monthly is None:
        return rng.randint(0, 4)
    full = rng.random() < 0.1  # so that the demo can show people who have reached their limit
    return monthly if full else rng.randint(0, monthly - 1)


def _days_since_confirmation(rng: Random, draft: _PersonDraft) -> int:
    return rng.randint(0, 30) if draft.viewer else round(rng.triangular(0, 500, 30))


def _visibility(rng: Random, draft: _PersonDraft) -> dict[str, str]:
    if draft.own_city_only:
        return dict.fromkeys(FIELDS, "city")
    visibility = dict.fromkeys(FIELDS, "community")
    if draft.viewer is None:
        # Topics stay open: they are why a person is listed at all.
        for field in ("title", "bio", "languages", "hours"):
            visibility[field] = rng.choices(("community", "city", "nobody"), (90, 7, 3))[0]
    return visibility
