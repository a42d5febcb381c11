"""Names of exceptions and functions as every language and tracker writes them, made comparable."""

import re
from typing import Final

_ALIAS: Final = " ["
"""Begins what V8 says of the name under which a method was called: `Cart.total [as sum]`."""
_GENERIC: Final = "[...]"
_MARKS = re.compile(r"->|::|[.#/\\ ]")
"""Between a name and what it belongs to."""
_UNNAMED = re.compile(r"<[^<>]*>$|(?:^|\.)\?$")


def bare_kind(kind: str) -> str:
    r"""`shop.errors.Empty`, `Shop::Empty`, `App\Errors\Empty`, `*errors.Empty` → `Empty`."""
    return _MARKS.split(kind.strip())[-1].lstrip("*&")


def bare(called: str) -> str:
    """`Cart.total [as sum]`, `new total`, `block in Cart#total`, `cart.(*Cart).total`, `Cart::total` → `total`.

    Empty when the function has no name of its own: `<anonymous>`, `Object.<anonymous>`, `?`, `<main>`, `{closure}`.
    """
    name = called.replace(_GENERIC, "").partition(_ALIAS)[0].strip().removesuffix("()")
    if _UNNAMED.search(name) or name.endswith("}"):  # PHP's closures stand in braces
        return ""
    return _MARKS.split(name)[-1]
