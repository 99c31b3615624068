"""The reference data keeps the promises the rest of the product builds on."""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import db

DATA = Path(db.__file__).parent / "data"
LANGUAGES = ("en", "es", "pt", "fr")
LEVELS = ("Silver", "Gold", "Platinum")
COLUMNS = {
    "practice_areas": "slug,position,prefix,name_en,name_es,name_pt,name_fr,older_names,"
    "summary_en,summary_es,summary_pt,summary_fr",
    "criteria": "code,area,number,title_en,title_es,title_pt,title_fr,older",
    "topics": "slug,area,criteria",
    "topic_terms": "topic,language,term,preferred",
    "cities": "slug,name,state,country,country_code,certified,level,level_year,"
    "first_certified_year,population,latitude,longitude,zone,language,aliases,source",
    "certifications": "city,year,level,event,source",
    "levels": "position,level,percent_min,percent_max,count_min,count_max",
}
MAY_BE_EMPTY = {
    "practice_areas": {"older_names"},
    "criteria": {"older"},
    "topics": {"area", "criteria"},
    "topic_terms": set[str](),
    "cities": {
        "level",
        "level_year",
        "first_certified_year",
        "population",
        "latitude",
        "longitude",
        "aliases",
    },
    "certifications": {"year", "level"},
    "levels": set[str](),
}


def read(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(name: str, key: str) -> list[str]:
    return [row[key] for row in read(name)]


def parts(cell: str) -> list[str]:
    return cell.split(";") if cell else []


def fold(text: str) -> str:
    """Case, accents, punctuation and spacing gone: what two terms may not share."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", plain))


def repeated(values: list[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_file_is_utf8_with_plain_line_ends_and_the_agreed_columns(name: str) -> None:
    """The loader names columns, so a renamed or reordered one is a broken promise."""
    raw = (DATA / f"{name}.csv").read_bytes()
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert raw.decode("utf-8").split("\n", 1)[0] == COLUMNS[name]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_required_cell_is_filled_and_tidy(name: str) -> None:
    """Empty means unknown, which only some columns may be; no cell has stray spaces."""
    for row in read(name):
        assert len(row) == len(COLUMNS[name].split(","))
        for key, value in row.items():
            assert value or key in MAY_BE_EMPTY[name], (row, key)
            assert value == " ".join(value.split()), (row, key)
            assert value.lower() not in {"unknown", "none", "n/a"}, (row, key)


@pytest.mark.parametrize("name", COLUMNS)
def test_lists_inside_a_cell_have_no_empty_or_repeated_item(name: str) -> None:
    """Semicolon lists can be split without cleaning."""
    for row in read(name):
        for key in {"older_names", "criteria", "aliases"} & row.keys():
            items = parts(row[key])
            assert all(item and item == item.strip() for item in items), row
            assert not repeated(items), row


def test_the_standard_has_eight_areas_and_43_criteria() -> None:
    """The 2022 Standard: each area's criteria are numbered from one without a gap."""
    areas = {row["slug"]: row["prefix"] for row in read("practice_areas")}
    assert len(areas) == 8
    assert len(set(areas.values())) == 8
    assert column("practice_areas", "position") == [str(place) for place in range(1, 9)]
    criteria = read("criteria")
    assert len({row["code"] for row in criteria}) == len(criteria) == 43
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in criteria:
        assert row["code"] == f"{areas[row['area']]}{row['number']}"
        numbers[row["area"]].append(int(row["number"]))
    assert numbers.keys() == areas.keys()
    assert all(sorted(some) == list(range(1, len(some) + 1)) for some in numbers.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_and_names_are_unique_and_short_in_each_language(language: str) -> None:
    """A title fits a button's neighbour: a reader tells two apart and sees each whole."""
    titles = column("criteria", f"title_{language}")
    assert not repeated(titles)
    assert max(map(len, titles)) <= 75
    assert not repeated(column("practice_areas", f"name_{language}"))
    assert not repeated(column("practice_areas", f"summary_{language}"))


def test_topics_point_at_areas_and_criteria_that_exist() -> None:
    """81 topics; what they name is in the Standard."""
    topics = read("topics")
    assert len({row["slug"] for row in topics}) == len(topics) == 81
    areas, codes = set(column("practice_areas", "slug")), set(column("criteria", "code"))
    for row in topics:
        assert row["area"] in areas | {""}, row
        assert codes.issuperset(parts(row["criteria"])), row


def test_each_topic_is_shown_by_exactly_one_term_in_each_language() -> None:
    """A reader of any of the four languages sees one name for each topic."""
    preferred: Counter[tuple[str, str]] = Counter()
    for row in read("topic_terms"):
        assert row["preferred"] in {"0", "1"}, row
        preferred[row["topic"], row["language"]] += int(row["preferred"])
    wanted = {(slug, language) for slug in column("topics", "slug") for language in LANGUAGES}
    assert preferred.keys() == wanted
    assert set(preferred.values()) == {1}


def test_a_term_means_one_topic_however_it_is_typed() -> None:
    """Folded, no term belongs to two topics, and none is written twice for one language."""
    owners: dict[str, set[str]] = defaultdict(set)
    for row in read("topic_terms"):
        owners[fold(row["term"])].add(row["topic"])
    assert {term: slugs for term, slugs in owners.items() if len(slugs) > 1} == {}
    assert "" not in owners
    written = [
        f"{row['topic']} {row['language']} {fold(row['term'])}" for row in read("topic_terms")
    ]
    assert repeated(written) == []


@pytest.mark.parametrize(
    ("older", "topic"),
    [("DG", "data-governance"), ("SE", "community-engagement"), ("GM", "executive-sponsorship")],
)
def test_the_older_standard_still_finds_its_way(older: str, topic: str) -> None:
    """People who learnt the codes before 2022 are understood."""
    assert [row["topic"] for row in read("topic_terms") if row["term"] == older] == [topic]


def test_cities_are_94_certified_ones_and_the_rest_of_the_network() -> None:
    """A slug is plain ASCII and unique, and only a certified city has a level."""
    cities = read("cities")
    assert not repeated([row["slug"] for row in cities])
    assert Counter(row["certified"] for row in cities) == {"1": 94, "0": 43}
    for row in cities:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", row["slug"]), row
        assert row["slug"].endswith(f"-{row['country_code'].lower()}"), row
        assert row["level"] in {"", *LEVELS}, row
        if row["certified"] == "0":
            assert not row["level"] + row["level_year"] + row["first_certified_year"], row


def test_city_facts_are_of_the_right_kind() -> None:
    """Numbers are numbers, places are on Earth, zones and languages are known ones."""
    for row in read("cities"):
        ZoneInfo(row["zone"])
        assert row["language"] in LANGUAGES, row
        assert re.fullmatch(r"[A-Z]{2}", row["country_code"]), row
        assert not row["population"] or int(row["population"]) > 10_000, row
        assert bool(row["latitude"]) == bool(row["longitude"]), row
        assert abs(float(row["latitude"] or 0)) <= 90, row
        assert abs(float(row["longitude"] or 0)) <= 180, row
        for key in ("level_year", "first_certified_year"):
            assert not row[key] or 2017 <= int(row[key]) <= 2026, row


def test_a_country_has_one_name_and_one_code() -> None:
    """Filtering by country cannot split one country in two."""
    pairs = {(row["country_code"], row["country"]) for row in read("cities")}
    assert len(pairs) == len({code for code, _ in pairs}) == len({name for _, name in pairs})


def test_an_alias_leads_to_one_city() -> None:
    """No alias is shared or said twice, and none is the name of another city."""
    owners: dict[str, set[str]] = defaultdict(set)
    for row in read("cities"):
        assert not repeated([fold(alias) for alias in parts(row["aliases"])]), row
        for alias in parts(row["aliases"]):
            owners[fold(alias)].add(row["slug"])
    assert {alias: slugs for alias, slugs in owners.items() if len(slugs) > 1} == {}
    assert owners.keys().isdisjoint(fold(name) for name in column("cities", "name"))


def test_certifications_tell_of_known_cities_and_levels() -> None:
    """Every event resolves, no event is told twice, every certified city has one."""
    events = read("certifications")
    certified = {row["slug"] for row in read("cities") if row["certified"] == "1"}
    assert {row["city"] for row in events} == certified
    assert {row["level"] for row in events} <= {"", *LEVELS}
    assert all(row["source"].startswith("https://") for row in events)
    assert not repeated([f"{row['city']} {row['year']} {row['event']}" for row in events])


def test_the_level_of_a_city_is_the_last_one_in_its_events() -> None:
    """The city and its history never contradict each other."""
    last: dict[str, tuple[str, str]] = {}
    for row in sorted(read("certifications"), key=lambda row: row["year"]):
        if row["level"]:
            last[row["city"]] = (row["level"], row["year"])
    for row in read("cities"):
        assert (row["level"], row["level_year"]) == last.get(row["slug"], ("", "")), row


def test_levels_cover_every_score_from_silver_upwards() -> None:
    """No count of criteria falls between two levels, and the last one is all 43."""
    levels = read("levels")
    assert [row["level"] for row in levels] == list(LEVELS)
    assert column("levels", "position") == ["1", "2", "3"]
    for unit, top in (("percent", 100), ("count", 43)):
        bounds = [(int(row[f"{unit}_min"]), int(row[f"{unit}_max"])) for row in levels]
        assert all(low <= high for low, high in bounds)
        assert all(one[1] + 1 == two[0] for one, two in pairwise(bounds))
        assert bounds[-1][1] == top
