"""Workspaces and e-mail domains that staff vouch for: both let people in without a request."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Note, Part, Text
from bot.commands import STAFF, Context, Spelled, command
from bot.community.people import places
from bot.domain.joining import normalize_domain
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import Labels, Suggestions, shorten
from db import audit, invitations, members
from db.workspaces import Workspace

CityName = Annotated[str | None, Suggestions("city")]


class AdminWorkspaces(BaseModel):
    """Set each workspace's city and whose email addresses count"""

    act: Annotated[
        Literal["list", "city", "vouch", "mend"],
        Labels(
            {
                "list": "All workspaces",
                "city": "This is a city's own workspace",
                "vouch": "Its email addresses can be trusted",
                "mend": "Undo both",
            }
        ),
    ] = Field(default="list", title="What to do")
    number: int | None = Field(
        default=None,
        ge=1,
        lt=10**9,
        title="Number",
        description="The number beside the workspace, for example: 3",
    )
    city: CityName = Field(
        default=None, max_length=80, title="City", description="For example: Boston"
    )


@command(
    "admin workspaces",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin espacios", "admin espacos", "admin espaces"),
    writes=True,
    example="admin workspaces list",
)
async def admin_workspaces(ctx: Context, ask: AdminWorkspaces) -> Card:
    """List the workspaces, or set whose a workspace is and whether its e-mail addresses count."""
    t = ctx.t
    if ask.act == "list":
        return await _workspaces_card(ctx)
    home = await _load_workspace(ctx, ask.number)
    match ask.act:
        case "city":
            if not ask.city:
                raise InvalidArgumentError(t("Please fill this in."), name="city")
            city = places.find_city(ctx, ask.city)
            home.city_id = city.id
            said = t(
                "{workspace} belongs to {city}: its people join without a code.",
                workspace=_workspace_name(home),
                city=places.city_place(t, city),
            )
        case "vouch":
            home.vouched = True
            said = t(
                "Email addresses in {workspace} count from now on.", workspace=_workspace_name(home)
            )
        case _:
            home.city_id, home.vouched = None, False
            said = t(
                "{workspace} no longer verifies anyone. Current members stay.",
                workspace=_workspace_name(home),
            )
    audit.record_act(
        ctx.session, ctx.now, ctx.member.id, f"workspace {ask.act}", f"workspace:{home.id}"
    )
    await ctx.session.flush()
    return await _workspaces_card(ctx, said)


async def _load_workspace(ctx: Context, number: int | None) -> Workspace:
    if number is None:
        raise InvalidArgumentError(ctx.t("Please fill this in."), name="number")
    home = await ctx.session.get(Workspace, number)
    if home is None:
        raise InvalidArgumentError(
            ctx.t("No workspace has the number {number}.", number=number), name="number"
        )
    return home


def _workspace_name(home: Workspace) -> str:
    return home.name or f"{home.platform.capitalize()} {home.external_id}"


async def _workspaces_card(ctx: Context, note: str = "") -> Card:
    t = ctx.t
    parts: list[Part] = [Note(note, "good")] if note else []
    parts += [
        _workspace_entry(ctx, home, n) for home, n in await members.list_workspaces(ctx.session)
    ]
    parts.append(
        Text(
            t(
                "Guests never count. In a city's own workspace, everyone else joins as a "
                "colleague, so mark only workspaces the city itself runs."
            ),
            quiet=True,
        )
    )
    return Card(t("Workspaces"), tuple(parts))


def _workspace_entry(ctx: Context, home: Workspace, people_here: int) -> Entry:
    t = ctx.t
    city = ctx.reference.cities.get(home.city_id or 0)
    lines = [
        t("{city}'s workspace", city=places.city_place(t, city))
        if city
        else t("not run by a city"),
        t("its email addresses count") if home.vouched else t("its email addresses don't count"),
        t.many("one member is here", "{number} members are here", people_here),
    ]
    if home.removed_at:
        lines.append(t("the hub was removed"))
    buttons = [Button(t("Set the city"), f"admin workspaces city {home.id}")]
    if not home.vouched:
        buttons.append(Button(t("Trust its addresses"), f"admin workspaces vouch {home.id}"))
    if home.vouched or city:
        buttons.append(Button(t("Undo"), f"admin workspaces mend {home.id}", "danger"))
    title = f"{home.id} · {_workspace_name(home)}"
    return Entry(title, tuple(lines), badge=home.platform.capitalize(), buttons=tuple(buttons))


# --- domains ----------------------------------------------------------------------------------


class AdminDomains(BaseModel):
    """List email domains that belong to one city's staff"""

    city: CityName = Field(
        default=None, max_length=80, title="City", description="For example: Boston"
    )
    add: str | None = Field(
        default=None, max_length=253, title="Domain to allow", description="For example: boston.gov"
    )
    remove: str | None = Field(default=None, max_length=253, title="Domain to remove")


@command(
    "admin domains",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin dominios", "admin dominios", "admin domaines"),
    writes=True,
    example="admin domains Boston add:boston.gov",
)
async def admin_domains(ctx: Context, ask: AdminDomains) -> Card:
    """List the e-mail domains that prove a city, or allow or forbid one.

    A domain counts exactly as given, without its subdomains.
    """
    t = ctx.t
    if ask.city is None:
        return await _domains_card(ctx)
    city = places.find_city(ctx, ask.city)
    said = ""
    if ask.add:
        domain = normalize_domain(ask.add)
        if not domain:
            raise InvalidArgumentError(
                t(
                    "«{text}» isn't a work domain. Use one like boston.gov, not one where anyone "
                    "can get an address.",
                    text=shorten(ask.add),
                ),
                name="add",
            )
        if not await invitations.allow_domain(ctx.session, city.id, domain):
            raise Refusal(t("«{domain}» already verifies another city.", domain=domain))
        said = t("Allowed: {domain}", domain=domain)
    elif ask.remove:
        domain = normalize_domain(ask.remove)
        await invitations.forbid_domain(ctx.session, city.id, domain)
        said = t("Removed: {domain}", domain=domain or shorten(ask.remove))
    if said:
        audit.record_act(ctx.session, ctx.now, ctx.member.id, "domains changed", f"city:{city.id}")
    return await _domains_card(ctx, city.id, said)


async def _domains_card(ctx: Context, city_id: int | None = None, note: str = "") -> Card:
    t = ctx.t
    parts: list[Part] = [Note(note, "good")] if note else []
    found = await invitations.list_domains(ctx.session, city_id)
    facts = tuple(
        Fact(one.domain, places.city_place(t, ctx.reference.cities[one.city_id])) for one in found
    )
    parts.append(Facts(facts) if facts else Text(t("No domains are allowed yet.")))
    parts.append(
        Text(t("An email address counts only in workspaces whose addresses you trust."), quiet=True)
    )
    parts.append(Buttons((Button(t("Workspaces"), "admin workspaces"),)))
    return Card(t("City email domains"), tuple(parts))
