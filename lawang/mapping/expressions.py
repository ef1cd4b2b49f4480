"""JMESPath expressions (jmespath.org): `id`, `lokasi.lat`, `koordinat[1]`, `foto[0].url`.

Two functions of the JMESPath Community (jmespath.site) are there as well: `split`, for texts such
as "lat,lon", and `items`, for objects whose keys are identities.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from pydantic import AfterValidator, Field


class _Functions(Functions):  # type: ignore[misc]
    @signature({"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_split(self, mark: str, text: str) -> list[str]:
        return text.split(mark) if mark else list(text)

    @signature({"types": ["object"]})  # type: ignore[untyped-decorator]
    def _func_items(self, table: dict[str, Any]) -> list[list[Any]]:
        return [[key, value] for key, value in table.items()]


_OPTIONS = jmespath.Options(custom_functions=_Functions())


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def check_expression(text: str) -> str:
    """`text` if it is a JMESPath expression; ValueError with where it breaks if not."""
    try:
        _compiled(text)
    except JMESPathError as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"is no JMESPath expression: {first}") from None
    # The compiler takes any name for a function; a search with a wrong one would find nothing.
    for name in _functions(_compiled(text).parsed):
        if name not in _Functions.FUNCTION_TABLE:
            raise ValueError(f"is no JMESPath expression: there is no function {name}()")
    return text


def _functions(node: Any) -> Iterator[str]:
    """The names of the functions that an expression's tree calls."""
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _functions(child)


def search(expression: str, document: object) -> Any:
    """What `expression` finds in `document`; None where it finds nothing or does not apply."""
    # Most fields are a plain key, which needs no interpreter.
    if isinstance(document, dict) and expression in document and expression.isidentifier():
        return document[expression]
    try:
        return _compiled(expression).search(document, _OPTIONS)
    # Comparing a text with a number, rounding infinity or a wrong number of arguments raise
    # what Python raises; an expression meets whatever a department wrote.
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError):
        return None


Expression = Annotated[str, Field(min_length=1), AfterValidator(check_expression)]
