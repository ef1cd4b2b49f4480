"""What went wrong with a source, as a sentence that says what an integrator can do."""

from __future__ import annotations

from lawang.city import City, Source
from lawang.domain.errors import LawangError, SourceError, StoreError

_WHAT_TO_DO = {
    "unreachable": "its server cannot be reached; is the address right, and the network open?",
    "timeout": "no whole answer came within timeout_s; raise it, or ask for smaller pages",
    "rate_limited": "it wants to be asked less often; raise every_s",
    "bad_status": "its server failed; ask the department",
    "refused": "it does not accept the key; is the variable that holds it right?",
    "not_found": "nothing lies at this address; correct it in [connection]",
    "redirected": "it leads elsewhere; if that is right, make it the address in [connection], or "
    "add its host to hosts in [network]",
    "host_not_allowed": "this host is not on the source's list; if it is right, add it to hosts in "
    "[network]",
    "private_address": "this leads into a private network; if that is right, set private = true in "
    "[network]",
    "too_large": "more than the limits of [connection] allow; ask for less, or raise them",
    "garbage": "the answer is not in the form that was expected; compare [connection] with it",
    "silent": "nothing has come for longer than this source may be quiet; ask the department",
    "not_configured": "environment variables are not set",
    "store_busy": "history is locked by another program; nothing is lost, try again",
    "store_down": "history cannot be reached; see LAWANG_DATABASE_URL",
    "cache_down": "live state cannot be reached; see LAWANG_REDIS_URL",
    "fenced": "another poller took over meanwhile; it polls this source by itself",
    "crash": "the program stumbled over this answer; keep it by --save-sample and report it",
}


def explain(kind: str, detail: str) -> str:
    """The sentence of an error's kind with its detail. Holds no secret, as neither of them does."""
    sentence = _WHAT_TO_DO.get(kind, kind)
    return f"{sentence} ({kind}: {detail})" if detail else f"{sentence} ({kind})"


def as_lawang_error(source: Source, error: SourceError | StoreError) -> LawangError:
    """The error that ends a command, naming the source."""
    return LawangError(f"{source.id}: {explain(error.kind, error.detail)}")


def find_source(city: City, source_id: str) -> Source:
    """The source of that id; LawangError with the known ones if there is none."""
    source = city.sources.get(source_id)
    if source is None:
        known = ", ".join(sorted(city.sources)) or "none at all"
        raise LawangError(f"there is no source {source_id!r}; this city has: {known}")
    return source


def refuse_unset(source: Source) -> None:
    """LawangError naming the variables that a source still waits for."""
    if source.unset:
        names = ", ".join(source.unset)
        raise LawangError(
            f"{source.id} is not configured: set {names} in the environment, or each as "
            f"<name>_FILE, the path of a file that holds it ({source.file} asks for them)"
        )
