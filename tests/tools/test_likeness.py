"""Likeness: a run counts only when it fails as production does, in whatever language and whoever reports it."""

from typing import NamedTuple

import pytest
from pydantic import JsonValue

from tools.bisection.paths import Tracked
from tools.likeness import Failure, doubt, expected, fails, seen, unlike, unlike_kind

TRACKED = Tracked(["shop/pay.py", "tests/test_pay.py"])
TRACE = """\
Traceback (most recent call last):
  File "/tmp/x/tree/shop/pay.py", line 3, in total
    return items["price"]
{kind}: 'price'
"""
PAY = ("shop/pay.py",)


def _event(**raised: JsonValue) -> dict[str, JsonValue]:
    return {"exception": {**raised}}


def test_what_is_expected_is_the_innermost_place_in_our_own_code() -> None:
    frames: JsonValue = [
        {"filename": "/srv/venv/lib/python3.11/site-packages/x/y.py", "function": "z"},
        {"filename": "tests/test_pay.py", "function": "test"},
        {"filename": "/srv/app/shop/pay.py", "function": "Till.total"},
        "no frame",
        {"filename": 7},
    ]
    assert expected(_event(type="shop.errors.Empty", frames=frames), TRACKED) == Failure("Empty", PAY, "total")
    assert expected(_event(type="KeyError", frames=7), TRACKED) == Failure("KeyError", (), "")
    assert expected(_event(), TRACKED) == expected({"exception": None}, TRACKED) == expected({}, TRACKED) is None


def test_what_an_event_says_of_where_to_look_is_its_stack_innermost_first() -> None:
    frames: JsonValue = [{"filename": "shop/pay.py", "function": "Till.total", "line": 3}, {"filename": None}, 7]
    told = seen(_event(type="shop.errors.Empty", value="no price\nsecond line", frames=frames))
    assert told
    assert [(one.file, one.line, one.function) for one in told.frames] == [("shop/pay.py", 3, "total")]
    assert {"Empty", "price"} <= told.said
    assert seen(_event()) is seen({}) is None


@pytest.mark.parametrize(
    ("output", "wanted", "why"),
    [
        (TRACE.format(kind="KeyError"), Failure("KeyError", PAY, "total"), ""),
        (TRACE.format(kind="shop.errors.KeyError"), Failure("KeyError", PAY, "total"), ""),
        ("anything", None, ""),
        ("assertion failed", Failure("KeyError", PAY, "total"), "prints no stack trace"),
        (TRACE.format(kind="ValueError"), Failure("KeyError", PAY, "total"), "with ValueError, and production with"),
        (TRACE.format(kind="KeyError"), Failure("KeyError", PAY, "charge"), "in shop/pay.py total, and"),
        (TRACE.format(kind="KeyError"), Failure("KeyError", PAY, ""), "in shop/pay.py total, and"),
        (TRACE.format(kind="KeyError"), Failure("KeyError", (), ""), "names no one place"),
    ],
)
def test_a_failure_is_the_same_only_with_the_same_type_and_place(output: str, wanted: Failure | None, why: str) -> None:
    assert why in unlike(output, wanted, TRACKED)
    assert bool(unlike(output, wanted, TRACKED)) == bool(why)


def test_what_any_failure_would_look_like_proves_nothing() -> None:
    many = ("a/cart.py", "b/cart.py")
    assert doubt(Failure("KeyError", PAY, "")) == doubt(Failure("KeyError", many, "total")) == ""
    assert "names no exception, so any failure would look like it; a human can" in doubt(None)
    assert "names no one place" in doubt(Failure("KeyError", (), ""))
    assert "so any KeyError would look like it" in doubt(Failure("KeyError", many, ""))
    assert unlike_kind(TRACE.format(kind="KeyError"), Failure("KeyError", (), "")) == ""


def test_a_bare_name_of_several_files_means_any_of_them_and_the_function_tells() -> None:
    tracked = Tracked(["a/cart.py", "b/cart.py", "shop/pay.py"])
    wanted = expected(_event(type="KeyError", frames=[{"filename": "cart.py", "function": "total"}]), tracked)
    assert wanted == Failure("KeyError", ("b/cart.py", "a/cart.py"), "total")
    there = TRACE.format(kind="KeyError").replace("shop/pay.py", "a/cart.py")
    assert unlike(there, wanted, tracked) == ""
    assert unlike(there.replace("total", "load"), wanted, tracked)
    assert unlike(TRACE.format(kind="KeyError"), wanted, tracked)


class Case(NamedTuple):
    """What a tracker says of a failure, and what a run prints of the same."""

    kind: str
    file: str
    function: str
    output: str


NODE = (
    "TypeError: x\n    at {} (/tmp/t/server.js:10:5)\n    at Module._compile (node:internal/modules/cjs/loader:1:2)\n"
)
JAVA = (
    'Exception in thread "main" java.lang.Error: x\n\tat com.shop.Cart.{}(Cart.java:3)\n\tat com.shop.M.m(M.java:3)\n'
)
RUBY = "/srv/app/cart.rb:3:in '{}': none ({})\n\tfrom /srv/app/cart.rb:2:in 'Array#each'\n"
GO = """panic: {}

goroutine 1 [running]:
example.com/shop/cart.(*Cart).Total(...)
\t/tmp/t/cart/cart.go:8
main.main()
\t/tmp/t/main.go:5 +0x1d
exit status 2
"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/t/shop/pay.py", line 9, in pay
  | ExceptionGroup: many (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/t/shop/pay.py", line 4, in one
    |     int("x")
    | ValueError: invalid literal
    |
    | During handling of the above exception, another exception occurred:
    |
    | Traceback (most recent call last):
    |   File "/t/shop/pay.py", line 5, in one
    | OSError: gone
    +---------------- 2 ----------------
    | KeyError: 'b'
    +------------------------------------
"""
UNREAD = """Traceback (most recent call last):
  File "/t/run.py", line 3, in <module>
  File "/t/shop/pay.py", line 2, in pay
    import shop.bad
  File "/t/shop/bad.py", line 1
    def x(:
          ^
SyntaxError: invalid syntax
"""
PYTHON = 'Traceback (most recent call last):\n  File "/t/shop/pay.py", line 2, in pay\nKeyError: 1\n'
LOGGING = """--- Logging error ---
Traceback (most recent call last):
  File "/usr/lib/python3.11/logging/__init__.py", line 1110, in emit
ValueError: I/O operation on closed file.

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/t/shop/log.py", line 2, in send
ConnectionRefusedError: [Errno 111] Connection refused
Call stack:
  File "/t/shop/log.py", line 7, in closing
Message: 'bye'
Arguments: ()
"""
IGNORED = """Exception ignored in: <function Till.__del__ at 0x7f>
Traceback (most recent call last):
  File "/t/shop/log.py", line 2, in __del__
AttributeError: 'Till' object has no attribute 'file'
"""
ATEXIT = IGNORED.replace("Exception ignored in: <function Till.__del__ at 0x7f>", "Error in atexit._run_exitfuncs:")
SAME = {
    "anonymous in Node": Case("TypeError", "/a/server.js", "?", "TypeError: x\n    at /tmp/t/server.js:10:5\n"),
    "anonymous by V8's word": Case("TypeError", "/a/server.js", "<anonymous>", NODE.format("Object.<anonymous>")),
    "anonymous by both": Case("TypeError", "/a/server.js", "Object.<anonymous>", NODE.format("<anonymous>")),
    "Node's alias": Case("TypeError", "/a/server.js", "Cart.total [as sum]", NODE.format("Cart.total [as sum]")),
    "Node's constructor": Case("TypeError", "/a/server.js", "new Cart", NODE.format("new Cart")),
    "Java's constructor": Case("Error", "com/shop/Cart.java", "<init>", JAVA.format("<init>")),
    "Java's qualified type": Case("java.lang.Error", "Cart.java", "total", JAVA.format("total")),
    "Ruby's block": Case("KeyError", "app/cart.rb", "block in total", RUBY.format("block in Cart#total", "KeyError")),
    "Ruby 3.4": Case("KeyError", "app/cart.rb", "Cart#total", RUBY.format("Cart#total", "KeyError")),
    "Ruby's namespace": Case("Shop::Empty", "app/cart.rb", "total", RUBY.format("total", "Shop::Empty")),
    "Go's bounds": Case(
        "runtime.boundsError", "/a/cart/cart.go", "(*Cart).Total", GO.format("runtime error: index out of range [5]")
    ),
    "Go's error": Case("*errors.errorString", "/a/cart/cart.go", "(*Cart).Total", GO.format("none left")),
    "a panic that Go's server survives": Case(
        "runtime.boundsError", "/a/cart/cart.go", "(*Cart).Total",
        GO.replace("panic: {}", "2026/11/28 16:00:00 http: panic serving [::1]:7: runtime error: out of range"),
    ),
    "a group": Case("ExceptionGroup", "/srv/shop/pay.py", "pay", GROUP),
    "a cause of what follows a group": Case(
        "KeyError", "/srv/shop/pay.py", "pay",
        f"{GROUP}\nThe above exception was the direct cause of the following exception:\n\n{PYTHON}",
    ),
    "a module that cannot be read": Case("SyntaxError", "/srv/shop/pay.py", "pay", UNREAD),
    "a logging error after it": Case("KeyError", "/srv/shop/pay.py", "pay", f"{PYTHON}{LOGGING}"),
    "an ignored exception after it": Case("KeyError", "/srv/shop/pay.py", "pay", f"{PYTHON}{IGNORED}"),
    "an exit function's after it": Case("KeyError", "/srv/shop/pay.py", "pay", f"{PYTHON}{ATEXIT}"),
    "a logging error before it": Case("KeyError", "/srv/shop/pay.py", "pay", f"{LOGGING}{PYTHON}"),
    "an ignored exception before it": Case("KeyError", "/srv/shop/pay.py", "pay", f"{IGNORED}{PYTHON}"),
}  # fmt: skip
OURS = Tracked([
    "server.js", "src/main/java/com/shop/Cart.java", "app/cart.rb", "cart/cart.go", "main.go", "shop/pay.py",
    "shop/bad.py", "shop/log.py",
])  # fmt: skip


def _unlike(case: Case, message: str = "") -> str:
    frames: JsonValue = [{"filename": case.file, "function": case.function, "line": 1}]
    return unlike(case.output, expected(_event(type=case.kind, value=message, frames=frames), OURS), OURS)


@pytest.mark.parametrize("name", SAME)
def test_a_failure_is_known_again_whoever_writes_it(name: str) -> None:
    assert _unlike(SAME[name]) == ""


OTHER = {
    "a sub-exception": Case("ValueError", "/srv/shop/pay.py", "one", GROUP),
    "logged before": Case("ConnectionRefusedError", "/srv/shop/log.py", "send", f"{LOGGING}{PYTHON}"),
    "Go's own, for an error": Case(
        "*errors.errorString", "/a/cart/cart.go", "(*Cart).Total", GO.format("runtime error: index out of range [5]")
    ),
    "a panic, for another language": Case("KeyError", "/srv/shop/pay.py", "pay", GO.format("x")),
    "handled before, where nothing is ignored": Case(
        "KeyError",
        "/srv/shop/pay.py",
        "pay",
        f"{PYTHON}Exception ignored by the shop\nbye\n{PYTHON.replace('Key', 'OS')}",
    ),
    "handled before": Case("KeyError", "/srv/shop/pay.py", "pay", PYTHON + PYTHON.replace("KeyError", "OSError")),
}


@pytest.mark.parametrize("name", OTHER)
def test_another_failure_is_never_taken_for_it(name: str) -> None:
    assert _unlike(OTHER[name])


def test_a_failure_that_another_process_tells_in_the_message_is_no_failure_after_it() -> None:
    told = 'worker said\nTraceback (most recent call last):\n  File "/w/worker.py", line 1, in go\nOSError: gone'
    case = Case("WorkerError", "/srv/shop/pay.py", "pay", PYTHON.replace("KeyError: 1", f"shop.WorkerError: {told}"))
    assert _unlike(case, told) == ""
    assert "fails with OSError" in _unlike(case, "worker said")
    assert "fails with OSError" in _unlike(case, told.replace("OSError", "KeyError"))


def test_only_a_panic_may_end_with_another_status_than_one() -> None:
    go = Failure("boundsError", ("cart/cart.go",), "Total", runtime=True)
    assert [fails(status, go) for status in (1, 2, 3, 0, None)] == [True, True, False, False, False]
    assert [fails(2, other) for other in (None, Failure("KeyError", PAY, "total"), Failure("KeyError", (), ""))] == [
        False
    ] * 3


ANSWERED = "replay: the app answered 500 to GET '/pay'\nlistening\n"
DATABASE = PYTHON.replace("KeyError", "RuntimeError")


@pytest.mark.parametrize(
    "line",
    [
        "[2026-11-28 16:00:00,000] ERROR in app: Exception on /pay [GET]",
        "Internal Server Error: /pay",
        "ERROR:    Exception in ASGI application",
        "[2026-11-28 16:00:00 +0000] [7] [ERROR] Error handling request /pay?x=1",
        "ERROR:tornado.application:Uncaught exception GET /pay (127.0.0.1)",
    ],
)
def test_what_a_replay_was_answered_for_is_what_failed_and_not_what_the_app_caught(line: str) -> None:
    """A framework says which failure it could not answer for; others were caught, and merely told."""
    told = Case("KeyError", "/srv/shop/pay.py", "pay", f"{ANSWERED}{DATABASE}{line}\n{PYTHON}{DATABASE}")
    caught = told._replace(output=f"{ANSWERED}{line}\n{DATABASE}{PYTHON}")
    assert _unlike(told) == ""
    assert "fails with RuntimeError" in _unlike(caught)
    assert "fails with RuntimeError" in _unlike(told._replace(output=told.output.removeprefix("replay: ")))
