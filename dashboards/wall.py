"""The wall: the city at a glance, on a screen nobody touches."""

from __future__ import annotations

from typing import Any

import dash
from dash import html
from dash.development.base_component import Component

from layouts.context import page_context
from layouts.map import city_map
from layouts.shell import header, live_root
from layouts.tiles import age, counter, tile
from layouts.words import words

dash.register_page(
    __name__, path="/wall", title="Lawang Jabo", name="Wall", description="The control room's wall"
)

#: A screen that runs for months loads itself anew this often, while all is well.
REFRESH_S = 6 * 3600

PANELS = ("counters", "regions", "incidents", "latest", "ranking", "sources", "city")


def layout(lang: str = "id", **_: Any) -> Component:
    """The wall in a language. Every value in it is filled by the stream."""
    context = page_context()
    city = context.city
    say = words(lang)
    facts = context.facts(PANELS, names=True, refresh_s=REFRESH_S)
    (south, west), (north, east) = context.bounds
    return live_root(
        facts,
        say,
        [
            header(facts, say, say("City command centre")),
            html.Main(
                [
                    html.Section(
                        [
                            city_map(
                                kecamatan=city.kecamatan_geojson,
                                kelurahan=city.kelurahan_geojson,
                                river=city.river_geojson,
                                labels=[
                                    (region.name, region.latitude, region.longitude)
                                    for region in city.kecamatan
                                ],
                                bounds=((south, west), (north, east)),
                            ),
                            html.Div(
                                [
                                    html.H2(
                                        say("Open reports by kecamatan"), className="tile-title"
                                    ),
                                    age("incidents"),
                                ],
                                className="map-head",
                            ),
                            html.Div(id="map-legend", className="map-legend"),
                            html.Div(
                                [
                                    html.Span(
                                        say("approximate boundaries")
                                        if city.boundaries.approximate
                                        else "",
                                        className="map-note-warning",
                                    ),
                                    html.Span(next(iter(city.credits_in(say.language)), "")),
                                ],
                                className="map-note",
                            ),
                        ],
                        id="tile-map",
                        className="tile map-tile",
                        **{"data-live-tile": "incidents", "data-health": "never"},
                    ),
                    html.Div(
                        [
                            counter("new_today", say("New today"), say),
                            counter("open", say("Open"), say),
                            counter("past_due", say("Past due"), say),
                            counter("done_today", say("Done today"), say),
                        ],
                        className="counters",
                    ),
                    tile(
                        "tile-ranking",
                        say("Kecamatan"),
                        "ranking",
                        [html.Div([], id="ranking", className="ranking")],
                        "ranking-tile",
                    ),
                    tile(
                        "tile-latest",
                        say("Latest events"),
                        "latest",
                        [html.Ol([], id="latest", className="latest")],
                        "latest-tile",
                    ),
                ],
                className="wall-grid",
            ),
            html.Footer(
                [
                    html.Div(
                        [
                            html.H2(say("Sources"), className="tile-title strip-title"),
                            html.P(
                                [],
                                className="strip-summary",
                                **{"data-sources-summary": ""},
                            ),
                        ],
                        className="strip-head",
                    ),
                    html.Div([], id="source-strip", className="source-strip"),
                ],
                className="strip",
            ),
            html.Div(id="announcer", className="visually-hidden", **{"aria-live": "polite"}),
        ],
        "page wall",
    )
