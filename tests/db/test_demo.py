"""The people of the demo are believable, varied, and the same every time."""

import csv
import re
from collections import Counter, defaultdict
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from db import demo_names
from db.demo import DemoCity, DemoPerson, invent_people

LANGUAGES = {"en", "es", "pt", "fr"}


def read(name: str) -> list[dict[str, str]]:
    with (demo_names.DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def a_city(row: dict[str, str]) -> DemoCity:
    return DemoCity(
        slug=row["slug"],
        name=row["name"],
        state=row["state"],
        country_code=row["country_code"],
        language=row["language"],
        zone=row["zone"],
        population=int(row["population"]) if row["population"] else None,
    )


CERTIFIED = [a_city(row) for row in read("cities") if row["certified"] == "1"]
CITIES = [a_city(row) for row in read("cities")]
BY_SLUG = {city.slug: city for city in CITIES}
TOPICS = [(row["slug"], row["area"]) for row in read("topics")]
MONTREAL = DemoCity("montreal-qc-ca", "Montréal", "QC", "CA", "fr", "America/Toronto", 1_762_949)
SEEDS = (2026, 1, 7)


@pytest.fixture(scope="module", params=SEEDS)
def crowd(request: pytest.FixtureRequest) -> list[DemoPerson]:
    return list(invent_people(CITIES, TOPICS, seed=request.param))


def is_public(person: DemoPerson) -> bool:
    return person.visibility["topics"] == "community"


def test_the_same_seed_gives_the_same_people() -> None:
    """A bug report can name a person of the demo."""
    assert list(invent_people(CITIES, TOPICS)) == list(invent_people(CITIES, TOPICS))
    assert list(invent_people(CITIES, TOPICS, seed=1)) != list(
        invent_people(CITIES, TOPICS, seed=2)
    )


@pytest.mark.parametrize("count", [0, 2, 50, 400, 650])
def test_as_many_people_as_asked_for(count: int) -> None:
    """The crowd can be made smaller for a quick start and larger for a measurement."""
    assert len(list(invent_people(CITIES, TOPICS, count=count))) == count


def test_the_four_viewers_come_first(crowd: list[DemoPerson]) -> None:
    """The playground signs in as these four, so they are certain and fully visible."""
    first = {person.name: person for person in islice(crowd, 4)}
    assert {name: (who.city, who.languages) for name, who in first.items()} == {
        "Maya Chen": ("boston-ma-us", ("en", "es")),
        "Camila Restrepo": ("bogota-co", ("es", "en")),
        "Rafael Oliveira": ("sao-paulo-sp-br", ("pt", "en")),
        "Élise Tremblay": ("montreal-qc-ca", ("fr", "en")),
    }
    assert first["Maya Chen"].title == "Open Data Program Manager"
    for viewer in first.values():
        assert set(viewer.visibility.values()) == {"community"}
        assert viewer.open_to_questions
        assert len(viewer.knows) >= 2


def test_a_viewer_moves_to_the_next_city_when_home_is_not_there() -> None:
    """Without Montréal its viewer still works in Canada."""
    others = [city for city in CITIES if city.slug != "montreal-qc-ca"]
    viewers = {person.name: person for person in invent_people(others, TOPICS, count=4)}
    assert BY_SLUG[viewers["Élise Tremblay"].city].country_code == "CA"


def test_a_viewer_without_any_city_in_the_country_stays_away() -> None:
    """A network of American cities still has its demo, with the one viewer it can hold."""
    boston = [BY_SLUG["boston-ma-us"]]
    names = [person.name for person in invent_people(boston, TOPICS, count=20)]
    assert names[0] == "Maya Chen"
    assert not {"Camila Restrepo", "Rafael Oliveira", "Élise Tremblay"} & set(names)


def test_a_viewer_moves_to_the_biggest_city_of_the_country_at_need() -> None:
    """Without Boston, Maya Chen works in the largest American city there is."""
    first = next(invent_people([BY_SLUG["mesa-az-us"], BY_SLUG["dallas-tx-us"]], TOPICS))
    assert (first.name, first.city) == ("Maya Chen", "dallas-tx-us")


def test_no_city_no_people_and_no_topic_no_skills() -> None:
    """Empty reference data makes an empty demo, not a fault."""
    assert list(invent_people([], TOPICS)) == []
    assert {person.knows for person in invent_people(CITIES, [], count=30)} == {()}


def test_every_city_has_somebody_and_a_big_one_at_least_two(crowd: list[DemoPerson]) -> None:
    """Nobody looks up a city and finds it deserted."""
    living = Counter(person.city for person in crowd)
    assert living.keys() == BY_SLUG.keys()
    for city in CERTIFIED:
        assert living[city.slug] >= (2 if (city.population or 0) >= 250_000 else 1), city


def test_bigger_cities_have_more_people(crowd: list[DemoPerson]) -> None:
    """The largest city has many more than a middling one."""
    living = Counter(person.city for person in crowd)
    assert living["new-york-city-ny-us"] >= 2 * living["boston-ma-us"] > living["topeka-ks-us"]


def test_people_are_unique_and_unreachable(crowd: list[DemoPerson]) -> None:
    """No name twice in a city; addresses are in the domain reserved for examples."""
    assert len({(person.name, person.city) for person in crowd}) == len(crowd)
    assert len({person.email for person in crowd}) == len(crowd)
    for person in crowd:
        assert re.fullmatch(rf"[a-z]+(\.[a-z]+)*\d*@{person.city}\.example", person.email)


def test_no_name_of_somebody_famous(crowd: list[DemoPerson]) -> None:
    """Names that would make a reader think of a real person are left out."""
    assert not {person.name for person in crowd} & set(demo_names.load_names()["avoid"])


def test_every_topic_is_known_in_two_countries(crowd: list[DemoPerson]) -> None:
    """Any search for a topic finds three people the whole community may see."""
    holders: dict[str, list[str]] = defaultdict(list)
    for person in filter(is_public, crowd):
        for slug, _ in person.knows:
            holders[slug].append(BY_SLUG[person.city].country_code)
    for slug, _ in TOPICS:
        assert len(holders[slug]) >= 3, slug
        assert len(set(holders[slug])) >= 2, slug


def test_even_a_small_crowd_covers_the_topics() -> None:
    """Twenty people know everything between them, in more than one country."""
    few = list(invent_people(CITIES, TOPICS, count=20))
    known = Counter(slug for person in few if is_public(person) for slug, _ in person.knows)
    assert min(known[slug] for slug, _ in TOPICS) >= 3


def test_skills_and_wishes_are_sound(crowd: list[DemoPerson]) -> None:
    """Levels are 1 to 3, and nobody wants to learn what they know already."""
    slugs = {slug for slug, _ in TOPICS}
    for person in crowd:
        known = [slug for slug, _ in person.knows]
        assert known
        assert len(set(known)) == len(known)
        assert slugs.issuperset(known)
        assert slugs.issuperset(person.learns)
        assert not set(known) & set(person.learns)
        assert {level for _, level in person.knows} <= {1, 2, 3}


def test_about_twelve_people_are_known_to_their_own_city_only(crowd: list[DemoPerson]) -> None:
    """The rule that hides people has somebody to hide, and most people hide nothing."""
    for person in crowd:
        assert set(person.visibility) == {"title", "bio", "topics", "languages", "hours"}
        assert set(person.visibility.values()) <= {"community", "city", "nobody"}
    own_city = [person for person in crowd if set(person.visibility.values()) == {"city"}]
    assert 10 <= len(own_city) <= 14
    assert not [person for person in own_city if is_public(person)]
    shown = Counter(value for person in crowd for value in person.visibility.values())
    assert shown["community"] > 0.8 * shown.total()
    assert shown["nobody"]


def test_availability_varies(crowd: list[DemoPerson]) -> None:
    """About three in four are open; some have a monthly limit and some have reached it."""
    share = sum(person.open_to_questions for person in crowd) / len(crowd)
    assert 0.68 <= share <= 0.83
    limited = [person for person in crowd if person.monthly_asks is not None]
    assert 0.4 * len(crowd) < len(limited) < 0.8 * len(crowd)
    for person in limited:
        assert 2 <= (person.monthly_asks or 0) <= 8
        assert 0 <= person.asks_taken <= (person.monthly_asks or 0)
    assert any(person.asks_taken == person.monthly_asks for person in limited)


def test_some_profiles_are_due_for_the_still_right_question(crowd: list[DemoPerson]) -> None:
    """Freshness runs from today to far beyond six months."""
    days = [person.confirmed_days_ago for person in crowd]
    assert 0 <= min(days) < 30
    assert 365 < max(days) <= 500
    assert 0.2 < sum(day > 180 for day in days) / len(days) < 0.7


def test_people_keep_the_hours_and_zone_of_their_city(crowd: list[DemoPerson]) -> None:
    """Wall times start before they end, and the zone is one that exists."""
    for person in crowd:
        assert person.zone == BY_SLUG[person.city].zone
        ZoneInfo(person.zone)
        start, end = person.hours
        assert re.fullmatch(r"[01]\d:[0-5]\d", start)
        assert re.fullmatch(r"[01]\d:[0-5]\d", end)
        assert start < end


def test_people_speak_the_language_of_their_city_first(crowd: list[DemoPerson]) -> None:
    """Only in Canada may the first language be the country's other one."""
    for person in crowd:
        city = BY_SLUG[person.city]
        assert person.language == person.languages[0]
        assert len(set(person.languages)) == len(person.languages)
        assert set(person.languages) <= LANGUAGES
        bilingual = city.country_code == "CA" and person.language == "fr"
        assert bilingual or person.language == city.language
    assert {language for person in crowd for language in person.languages} == LANGUAGES
    assert sum(len(person.languages) > 1 for person in crowd) > len(crowd) / 4


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_there_is_enough_to_say_in_each_language(language: str) -> None:
    """At least 25 titles and 12 kinds of bio, none of them twice."""
    texts = demo_names.load_texts()[language]
    titles = [title for some in texts["titles"].values() for title in some]
    assert len(set(titles)) == len(titles) >= 25
    assert len(set(texts["bios"])) == len(texts["bios"]) >= 12
    areas = {area for _, area in TOPICS}
    assert areas <= texts["titles"].keys()
    assert areas <= texts["work"].keys()


def test_titles_and_bios_are_finished_sentences(crowd: list[DemoPerson]) -> None:
    """No slot is left open, and a bio is one or two sentences."""
    for person in crowd:
        assert person.title
        assert not set(person.title + person.bio) & set("{}|")
        assert person.bio[0].isupper()
        assert person.bio.endswith(".")
        assert 1 <= len(re.findall(r"(?<!St)\.(?:\s|$)", person.bio)) <= 2, person.bio


def test_titles_agree_with_the_person_in_gendered_languages() -> None:
    """A woman is «Coordinadora», a man «Coordinador», in every language that tells them apart."""
    cities = [BY_SLUG["bogota-co"], BY_SLUG["recife-pe-br"], MONTREAL]
    groups = demo_names.load_names()["groups"]
    for person in islice(invent_people(cities, TOPICS, count=400), 3, None):
        pool = groups[{"es": "ES", "pt": "BR", "fr": "QC"}[person.language]]
        first = person.name.split()[0]
        titles = demo_names.load_texts()[person.language]["titles"].values()
        pairs = [title.split("|") for some in titles for title in some]
        allowed = {
            pair[-1 if woman else 0]
            for woman in (True, False)
            for pair in pairs
            if any(first in group["women" if woman else "men"] for group in pool)
        }
        assert person.title in allowed, person


def test_names_fit_the_region(crowd: list[DemoPerson]) -> None:
    """A reader from the region would find the name at home there."""
    groups = demo_names.load_names()["groups"]
    for person in crowd[4:]:
        city = BY_SLUG[person.city]
        english = "CA" if city.country_code == "CA" else "US"
        region = {"es": "ES", "pt": "BR", "fr": "QC", "en": english}[person.language]
        first = {name for group in groups[region] for name in group["women"] + group["men"]}
        assert person.name.split()[0] in first, person
