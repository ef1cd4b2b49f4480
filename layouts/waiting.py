"""The page that a wall shows by itself while its server does not answer yet.

It holds no fact and no script: it asks for the wall again every few seconds, and that is all.
"""

from __future__ import annotations

from html import escape

from layouts.words import words

#: How often it tries again.
AGAIN_S = 5


def waiting_page(language: str) -> str:
    """The page as HTML, in a language of the interface (unknown ones: the usual one)."""
    say = words(language)
    return (
        f'<!DOCTYPE html><html lang="{say.language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{AGAIN_S}">'
        f"<title>{escape(say('Waiting for the server'))}</title><style>{_STYLE}</style></head>"
        f"<body><main><p>Lawang Jabo</p><h1>{escape(say('Waiting for the server'))}</h1>"
        f"<p>{escape(say('The wall comes by itself as soon as the server answers.'))}</p>"
        "</main></body></html>"
    )


# Sizes follow the window, as on the wall; the colours are those of assets/tokens.css, which cannot
# be fetched at that moment.
_STYLE = (
    "html,body{height:100%;margin:0;background:#060c12;color:#e4eef4;cursor:none;"
    "font-family:system-ui,sans-serif;overflow:hidden}"
    "main{height:100%;display:grid;align-content:center;justify-items:center;gap:2vh;"
    "text-align:center}"
    "h1{font-size:4vw;margin:0;font-weight:600}p{font-size:1.6vw;margin:0;color:#a3b7c5}"
)
