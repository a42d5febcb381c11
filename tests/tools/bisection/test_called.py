"""Names: what a tracker calls an exception or a function, and what a program prints of it, are the same name."""

import pytest

from tools.bisection.called import bare, bare_kind


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("Cart.total [as sum]", "total"),
        ("new Cart", "Cart"),
        ("com.shop.Cart.total", "total"),
        ("block (2 levels) in Shop::Cart#empty?", "empty?"),
        ("shop/cart.(*Cart).Total", "Total"),
        ("cart.Map[...]", "Map"),
        (r"App\Cart::total", "total"),
        ("App\\Cart->total()", "total"),
        ("make.<locals>.inner", "inner"),
        ("total", "total"),
    ],
)
def test_a_function_has_one_name_whoever_writes_it(called: str, name: str) -> None:
    assert bare(called) == bare(name) == name


@pytest.mark.parametrize(
    "called",
    [
        "", "?", "Object.?", "<anonymous>", "Object.<anonymous>", "Cart.<anonymous> [as total]", "com.shop.Cart.<init>",
        "block in <main>", "<top (required)>", "total.<locals>.<lambda>", r"App\{closure}",
    ],
)  # fmt: skip
def test_a_function_without_a_name_of_its_own_has_none(called: str) -> None:
    assert bare(called) == ""


@pytest.mark.parametrize(
    "kind", ["Empty", "shop.errors.Empty", "Shop::Empty", r"App\Errors\Empty", "*errors.Empty", "com.shop.Empty"]
)
def test_an_exception_has_one_type_whoever_writes_it(kind: str) -> None:
    assert bare_kind(kind) == "Empty"
