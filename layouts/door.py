"""Small whole pages of the door: what is refused and why, and the operator's key.

Each says everything in both languages: who stands before a wall cannot choose one.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from layouts.words import LANGUAGES, Words, words

#: A wall that was refused looks again by itself: nobody has a keyboard there.
_AGAIN_S = 30


def key_needed_page() -> str:
    """A wall without a key."""
    return _wall_page(
        lambda say: say("This screen needs a key"),
        lambda say: say(
            "Make one at the server with {command}, then open the address it prints once on this "
            "screen.",
            command="lawang screens token new",
        ),
    )


def key_revoked_page() -> str:
    """A wall whose key was revoked, or is none."""
    return _wall_page(
        lambda say: say("Screen key revoked"),
        lambda say: say(
            "The key of this screen was revoked or is not known. Make a new one at the server with "
            "{command}, then open the address it prints once on this screen.",
            command="lawang screens token new",
        ),
    )


def other_screen_page() -> str:
    """A wall with the key of another one, or a screen's key on a page that is no wall."""
    return _wall_page(
        lambda say: say("This key does not open this page"),
        lambda say: say(
            "A screen's key opens its own wall and nothing else. Make one for this screen at the "
            "server with {command}.",
            command="lawang screens token new",
        ),
    )


def history_away_page() -> str:
    """A wall whose key cannot be looked up now."""
    return _wall_page(
        lambda say: say("The screen's key cannot be checked"),
        lambda say: say("The database does not answer. This page looks again by itself."),
    )


def operator_needed_page(path: str, has_key: bool) -> str:
    """A page for operators, opened by somebody who is none."""
    if not has_key:
        return _page(
            lambda say: say("For operators only"),
            lambda say: say(
                "This page opens at the server itself. To open it from elsewhere, set {setting} at "
                "the server.",
                setting="LAWANG_OPERATOR_TOKEN",
            ),
        )
    return _page(
        lambda say: say("For operators only"),
        lambda say: say("Enter the operator's key to open this page."),
        body=_form(path),
    )


def operator_page(path: str, has_key: bool, is_in: bool, trouble: str = "", wait_s: int = 0) -> str:
    """Where the operator's key is entered once. `trouble`: "wrong", "paced", or "" for none."""
    if is_in:
        return _page(
            lambda say: say("You are an operator here"),
            lambda say: say("This browser may act. Leave when others use it."),
            body=_link(path) + _leave(),
        )
    if not has_key:
        return operator_needed_page(path, has_key)
    said: dict[str, Callable[[Words], str]] = {
        "wrong": lambda say: say("The key is not right."),
        "paced": lambda say: say("Too many tries. Try again in {n} s.", n=wait_s),
    }
    return _page(
        lambda say: say("Operator's key"),
        lambda say: say(
            "It is entered once; this browser then keeps a proof of it, not the key, for 30 days."
        ),
        said.get(trouble),
        body=_form(path),
    )


def _wall_page(*lines: Callable[[Words], str]) -> str:
    return _page(*lines, again_s=_AGAIN_S)


def _page(*lines: Callable[[Words], str] | None, body: str = "", again_s: int = 0) -> str:
    title, *rest = [each for each in lines if each is not None]
    refresh = f'<meta http-equiv="refresh" content="{again_s}">' if again_s else ""
    parts = []
    for language in LANGUAGES:
        say = words(language)
        sentences = "".join(f"<p>{escape(each(say))}</p>" for each in rest)
        parts.append(
            f'<section lang="{language}"><h1>{escape(title(say))}</h1>{sentences}</section>'
        )
    return (
        '<!DOCTYPE html><html lang="id"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh}<title>{escape(title(words(LANGUAGES[0])))} · Lawang Jabo</title>"
        '<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/assets/tokens.css">'
        '<link rel="stylesheet" href="/assets/lawang.css">'
        f'</head><body><main class="lost">{"".join(parts)}{body}</main></body></html>'
    )


def _both(said: Callable[[Words], str]) -> str:
    indonesian, english = (escape(said(words(each))) for each in LANGUAGES)
    return f'{indonesian} · <span lang="en">{english}</span>'


def _form(path: str) -> str:
    label = _both(lambda say: say("Operator's key"))
    return (
        '<form method="post" action="/operator">'
        f'<input type="hidden" name="next" value="{escape(path)}">'
        f'<label>{label}<br><input type="password" name="key" required autofocus '
        'autocomplete="current-password" maxlength="500"></label> '
        f"<button>{_both(lambda say: say('Open the page'))}</button></form>"
    )


def _leave() -> str:
    return (
        '<form method="post" action="/operator"><input type="hidden" name="leave" value="1">'
        f"<button>{_both(lambda say: say('Leave'))}</button></form>"
    )


def _link(path: str) -> str:
    return f'<p><a href="{escape(path)}">{escape(path)}</a></p>'
