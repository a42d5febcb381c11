"""Frames: what a failing run prints tells where to look, in five languages, and nothing it prints stops the search."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.bisection import printed
from tools.bisection.frames import Raised, Signature, clues, exception, frames, signature
from tools.bisection.paths import Kind, Tracked, installed, kind, package
from tools.bisection.traces import MOST_CHARS

TYPE_ERROR = Raised("TypeError", "unsupported operand type(s) for +: 'int' and 'NoneType'")
NIL = Raised("NoMethodError", "undefined method `price' for nil:NilClass")
TOLD = [
    (printed.PYTHON, Raised("CartError", "no price"), ["prices.py:7 price", "cart.py:12 total", "repro.py:3 <module>"]),
    (printed.GROUP, Raised("ExceptionGroup", "two (1 sub-exception)"), ["cart.py:4 total", "batch.py:9 run"]),
    (printed.PYTEST_LONG, TYPE_ERROR, ["cart.py:3 total", "test_cart.py:5 test_total"]),
    (printed.PYTEST_SHORT, TYPE_ERROR, ["cart.py:3 total", "test_cart.py:5 test_total"]),
    (
        printed.NODE,
        Raised("Error", "no total"),
        [
            "lodash.js:7 inner",
            "price.js:2 price",
            "cart.js:10 total",
            "index.js:3 ",
            "shop.mjs:1 Cart",
            "loader:1105 _compile",
        ],
    ),
    (printed.JEST, None, ["cart.js:10 total", "cart.test.js:9 "]),
    (
        printed.JAVA,
        Raised("CartException", "cannot total"),
        ["Item.java:12 sum", "ArrayList.java:1511 forEach", "Cart.java:42 total", "Main.java:7 main"],
    ),
    (
        printed.GO,
        Raised("panic", "runtime error: index out of range [3] with length 3"),
        ["panic.go:884 panic", "cart.go:12 Total", "main.go:7 main"],
    ),
    (printed.GO_TEST, None, ["cart_test.go:10 TestTotal"]),
    (printed.RUBY, NIL, ["cart.rb:3 total", "cart.rb:10 sum", "main.rb:2 "]),
    (printed.RUBY_25, NIL, ["cart.rb:3 total", "cart.rb:10 sum", "main.rb:2 "]),
    (printed.RUBY_34, Raised("NoMethodError", "undefined method 'price' for nil"), ["cart.rb:3 total", "main.rb:2 "]),
    (printed.RSPEC, Raised("NoMethodError", ""), ["cart.rb:3 total", "cart_spec.rb:5 "]),
]


@pytest.mark.parametrize(("output", "raised", "places"), TOLD)
def test_a_trace_is_read_innermost_first_and_its_root_cause_before_what_came_of_it(
    output: str, raised: Raised | None, places: list[str]
) -> None:
    found = [f"{frame.file.rpartition('/')[2]}:{frame.line} {frame.function}" for frame in frames(output)]
    assert (exception(output), found) == (raised, places)


@pytest.mark.parametrize(("output", "raised", "places"), TOLD)
def test_chatter_around_a_trace_changes_nothing(output: str, raised: Raised | None, places: list[str]) -> None:
    noisy = f"collecting: 3 items\nServer: up at 127.0.0.1:80\n\n{output}\nwarning: at the end\ndone in 3.2s\n"
    assert (exception(noisy), len(frames(noisy))) == (raised, len(places))


def test_the_source_line_that_a_trace_shows_is_kept() -> None:
    shown = [[frame.code for frame in frames(output)][:2] for output in (printed.PYTHON, printed.PYTEST_LONG)]
    assert shown == [
        ["return table[item]", 'raise CartError("no price") from error'],
        ["return sum(items)", "assert total([None]) == 3"],
    ]


@pytest.mark.parametrize(
    ("output", "place"),
    [
        (printed.PYTHON, Signature("CartError", "no price", ("shop/cart.py",), "total")),
        (printed.NODE, Signature("Error", "no total", ("src/cart.js",), "total")),
        (printed.JAVA, Signature("CartException", "cannot total", ("src/main/java/com/shop/Cart.java",), "total")),
        (
            printed.GO,
            Signature("panic", "runtime error: index out of range [3] with length 3", ("cart/cart.go",), "Total"),
        ),
        (printed.RUBY, Signature("NoMethodError", NIL.message, ("lib/cart.rb",), "total")),
        (printed.PYTEST_LONG, Signature("TypeError", TYPE_ERROR.message, ("shop/cart.py",), "total")),
    ],
)
def test_a_signature_names_what_was_raised_in_the_end_and_the_innermost_place_of_our_own(
    output: str, place: Signature
) -> None:
    ours = ["shop/cart.py", "shop/prices.py", "tests/test_cart.py", "src/cart.js", "src/price.js", "index.js"]
    others = ["src/main/java/com/shop/Cart.java", "cart/cart.go", "main.go", "lib/cart.rb", "main.rb"]
    assert signature(output, Tracked([*ours, *others])) == place


def test_the_same_failure_in_two_work_trees_has_one_signature_and_another_failure_another() -> None:
    ours = Tracked(["shop/cart.py", "shop/prices.py"])
    elsewhere = printed.PYTHON.replace("/srv/app", "/elsewhere/tree").replace("line 12", "line 19")
    other = printed.PYTHON.replace("CartError", "PriceError")
    assert signature(printed.PYTHON, ours) == signature(elsewhere, ours) != signature(other, ours)


def test_no_trace_has_no_signature_and_no_clues() -> None:
    nothing = clues("expected 3 but got 2\n")
    assert (signature("expected 3 but got 2\n"), nothing.frames, nothing.said) == (None, (), frozenset())


@pytest.mark.parametrize(
    ("file", "tracked", "found"),
    [
        ("/srv/app/src/shop/cart.py", ["src/shop/cart.py"], "src/shop/cart.py"),
        ("./lib/cart.rb", ["lib/cart.rb", "cart.rb"], "lib/cart.rb"),
        ("/venv/lib/python3.11/site-packages/shop/cart.py", ["src/shop/cart.py"], "src/shop/cart.py"),
        ("/venv/lib/python3.11/site-packages/other/shop/cart.py", ["shop/cart.py"], None),
        ("/usr/lib/python3.11/random.py", ["random.py"], None),
        ("com/shop/Cart.java", ["app/src/main/java/com/shop/Cart.java"], "app/src/main/java/com/shop/Cart.java"),
        ("C:\\app\\shop\\cart.py", ["shop/cart.py"], "shop/cart.py"),
        ("webpack://web/./src/cart.ts?3f2a", ["src/cart.ts"], "src/cart.ts"),
        ("/elsewhere/cart.py", ["shop/cart.py"], None),
        ("repro.py", ["a/repro.py", "b/repro.py"], None),
        ("<string>", ["string"], None),
        ("node:internal/timers", ["timers"], None),
        ("/", ["a"], None),
    ],
)
def test_a_frame_is_ours_only_when_its_path_says_so(file: str, tracked: list[str], found: str | None) -> None:
    assert Tracked(tracked).find(file) == found


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/venv/lib/python3.11/site-packages/urllib3/poolmanager.py", "urllib3"),
        ("/venv/lib/python3.11/site-packages/six.py", "six"),
        ("/srv/app/node_modules/lodash/lodash.js", "lodash"),
        ("/srv/app/node_modules/a/node_modules/@scope/x/i.js", "@scope/x"),
        ("/usr/lib/ruby/gems/3.2.0/gems/rack-2.2.7/lib/rack.rb", "rack"),
        ("/root/go/pkg/mod/github.com/x/y@v1.2.3/z.go", "github.com/x/y"),
        ("/srv/app/shop/cart.py", ""),
    ],
)
def test_a_library_is_named_as_lock_files_name_it(file: str, name: str) -> None:
    assert package(file) == name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/srv/venv/lib/python3.11/site-packages/requests/api.py", "requests"),
        ("requests/api.py", "requests"),
        ("./node_modules/@scope/x/i.js", "@scope/x"),
        ("webpack:///./src/pay.js", ""),
        ("/usr/lib/python3.11/json/decoder.py", ""),
        ("C:\\app\\pay.py", ""),
        ("node:internal/timers", ""),
        ("<string>", ""),
        ("six.py", "six"),
    ],
)
def test_a_frame_that_is_not_ours_names_its_library_without_the_folders_above_it(file: str, name: str) -> None:
    assert installed(file) == name


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("shop/cart.py", Kind.CODE),
        ("tests/test_cart.py", Kind.TEST),
        ("src/cart.spec.ts", Kind.TEST),
        ("docs/conf.py", Kind.PROSE),
        ("CHANGES.rst", Kind.PROSE),
        ("requirements-dev.txt", Kind.DEPENDENCIES),
        ("web/package-lock.json", Kind.DEPENDENCIES),
        ("shop/migrations/0007_price.py", Kind.SETTINGS),
        ("deploy/flags.yaml", Kind.SETTINGS),
    ],
)
def test_a_path_says_what_a_file_is_for(path: str, what: Kind) -> None:
    assert kind(path) == what


@pytest.mark.parametrize(
    ("what", "paths"),
    [
        (Kind.CODE, ("shop/history.py", "api/changes.py", "blog/authors.py", "newsletter.py", "license_check.py")),
        (Kind.CODE, ("src/historyStore.ts", "src/news.tsx", "templates/cart.html", "templates/mail/order.txt")),
        (Kind.DEPENDENCIES, ("requirements/prod.txt", "api/requirements/base.txt", "requirements/base.in")),
        (Kind.DEPENDENCIES, ("requirements.txt", "dev-requirements.txt", "constraints.txt", "constraints-ci.txt")),
        (Kind.DEPENDENCIES, ("runtime.txt", "CMakeLists.txt", "Dockerfile", "web/Dockerfile.prod", "api.dockerfile")),
        (Kind.DEPENDENCIES, (".python-version", ".tool-versions", ".nvmrc", "mix.lock", "bun.lock", "Podfile.lock")),
        (Kind.DEPENDENCIES, (".terraform.lock.hcl", "Package.resolved", "pubspec.lock", "Shop.csproj", "go.work.sum")),
        (Kind.SETTINGS, ("Procfile", "infra/main.tf", "infra/prod.tfvars", "spec/openapi.yaml")),
        (Kind.CODE, ("spec/openapi.json", "testing/payments.py", "app/fixtures/countries.json", "data/rates.txt")),
        (Kind.CODE, ("dockerfiles.py", "procfile.py", "app/static/robots.txt")),
    ],
)
def test_what_runs_in_production_is_never_taken_for_prose_by_its_name(what: Kind, paths: tuple[str, ...]) -> None:
    assert {path: kind(path) for path in paths} == dict.fromkeys(paths, what)


@pytest.mark.parametrize(
    "path",
    [
        "tests/fixtures/cart.json", "test/data/rates.txt", "spec/fixtures/cart.json", "spec/models/cart_spec.rb",
        "spec/rails_helper.rb", "spec/support/carts.rb", "web/specs/cart.ts", "src/__fixtures__/cart.js",
        "spec/cassettes/bank.yml", "testing/test_a.py", "pkg/testdata/rates.txt", "conftest.py",
    ],
)  # fmt: skip
def test_what_only_tests_use_is_a_test(path: str) -> None:
    assert kind(path) == Kind.TEST


@pytest.mark.parametrize(
    "path",
    [
        "README", "CHANGELOG", "LICENSE", "AUTHORS", "HISTORY", "CHANGES", "NEWS", "NOTICE", "COPYING",  # by themselves
        "README.md", "HISTORY.rst", "LICENSE.txt", "NEWS.adoc", "requirements/README.txt", "templates/README.md",
        "shop/notes.md", "notes.txt", "guide.rst", "guide.adoc", "docs/cart.html", "config/notes.md",
        ".gitignore", "logo.png",
    ],
)  # fmt: skip
def test_what_only_people_read_is_prose(path: str) -> None:
    assert kind(path) == Kind.PROSE


HOSTILE = [
    "a\n", "x", "at ", '  File "', "    at f(", "a:1:in `", "a.b(\n", "a:1", "Caused by: A: x\n\tat a.b.C(D.java:1)\n",
    '  File "a.py", line 3, in f\n', "Traceback (most recent call last)\n", "\0", " | ", "E   ", ":1" * 9, "(", "[",
    "::", "goroutine 1 [a]:\n", "--- FAIL: \n", "_" * 9 + "\n",
    "During handling of the above exception\n", "--- Logging error ---\n", "    | Traceback (most recent call last)\n",
    "a.go:1\n\t",
]  # fmt: skip


@pytest.mark.parametrize("junk", HOSTILE)
def test_hostile_output_costs_little_time(junk: str) -> None:
    started = time.process_time()
    clues(junk * (MOST_CHARS // len(junk)))
    signature(junk * (MOST_CHARS // len(junk)))
    assert time.process_time() - started < 3


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=20), max_size=40).map("".join))
def test_whatever_a_command_prints_is_read_without_an_error(output: str) -> None:
    found = clues(output)
    assert signature(output) is None or found.frames
    assert all(frame.file for frame in found.frames)
