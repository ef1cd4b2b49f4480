"""The walls: one page a screen of `screens.toml`, on glass that nobody touches.

`/wall` is the first screen of the file, `/wall/<screen>` a certain one. `?scene=` shows one scene
and keeps it, narrowed by `window`, `kecamatan`, `category` and `opd` (several by commas), its map
shaded by `measure`;
`?thumb=1` is a picture of the wall for others: it neither beats nor sounds.
"""

from __future__ import annotations

from typing import Any

import dash
from dash.development.base_component import Component

from lawang.domain.screen import Cell, Playlist, Screen, ScreenProgramme
from layouts.context import page_context
from layouts.map import city_map
from layouts.shell import live_root
from layouts.wall import stage, wall_foot, wall_header, wall_panels
from layouts.words import words

#: A screen that runs for months loads itself anew this often, at a turn of its programme.
REFRESH_S = 6 * 3600
_FILTERS = ("kecamatan", "opd", "category")
#: A pack without screens has one wall that shows the city.
_ONLY = Screen(id="utama", name="", width=1920, height=1080, cells=(Cell(id="", playlist=""),))
_FIRST_SCENE = "kejadian"


def layout(
    screen: str = "", lang: str = "id", scene: str = "", thumb: str = "", **query: Any
) -> Component:
    """One wall. Every value in it is filled by the stream."""
    context = page_context()
    programme = context.programme()
    shown = _find(programme, screen)
    say = words(lang)
    wall = {
        "screen": screen or shown.id,
        "scene": scene,
        "filters": _filters_of(query),
        "thumb": bool(thumb),
        "sound": query.get("sound", "on"),
        "fallback": _fallback(programme, shown),
    }
    panels = wall_panels(programme)
    facts = context.facts(panels, names=True, refresh_s=REFRESH_S, extra={"wall": wall})
    cells = ["", *(each.id for each in shown.cells if len(shown.cells) > 1)]
    return live_root(
        facts,
        say,
        [
            wall_header(facts, say),
            stage(shown, {cell: city_map(cell, context, say.language) for cell in cells}),
            wall_foot(say),
            dash.html.Div(id="announcer", className="visually-hidden", **{"aria-live": "polite"}),
        ],
        "page wall",
    )


def _find(programme: ScreenProgramme, screen: str) -> Screen:
    """The screen of that id; for an unknown one a plain grid, on which the script says so."""
    if not screen and programme.screens:
        return next(iter(programme.screens.values()))
    return programme.screens.get(screen, _ONLY)


def _filters_of(query: dict[str, Any]) -> dict[str, Any]:
    """What the address narrows a scene to, in the shape of an item of the programme."""
    found: dict[str, Any] = {
        name: [each for each in str(query[name]).split(",") if each]
        for name in _FILTERS
        if query.get(name)
    }
    for name in ("window", "measure"):
        if query.get(name):
            found[name] = str(query[name])
    return found


def _fallback(programme: ScreenProgramme, screen: Screen) -> list[dict[str, Any]]:
    """The first scene of each cell: what is shown while nobody can tell the programme."""
    whole = len(screen.cells) < 2
    found = []
    for cell in screen.cells:
        playlist = programme.playlists.get(cell.playlist, Playlist(id="", turns=()))
        first = playlist.turns[0].scene if playlist.turns else _FIRST_SCENE
        found.append({"cell": "" if whole else cell.id, "scene": first, "filters": {}, "why": ""})
    return found


for _name, _path in (
    (__name__, {"path": "/wall"}),
    (f"{__name__}.screen", {"path_template": "/wall/<screen>"}),
):
    dash.register_page(
        _name,
        title="Lawang Jabo",
        name="Wall",
        description="The control room's wall",
        layout=layout,
        **_path,
    )
