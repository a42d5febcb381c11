"""What failing programs print, in five languages."""

from typing import Final

PYTHON: Final = """Traceback (most recent call last):
  File "/srv/app/shop/prices.py", line 7, in price
    return table[item]
           ~~~~~^^^^^^
KeyError: 'pear'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/repro.py", line 3, in <module>
    total(["pear"])
  File "/srv/app/shop/cart.py", line 12, in total
    raise CartError("no price") from error
shop.errors.CartError: no price
"""
GROUP: Final = """  + Exception Group Traceback (most recent call last):
  |   File "/srv/app/shop/batch.py", line 9, in run
  |     raise ExceptionGroup("two", errors)
  | ExceptionGroup: two (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/app/shop/cart.py", line 4, in total
    |     raise ValueError("bad price")
    | ValueError: bad price
    +------------------------------------
"""
PYTEST_LONG: Final = """================================ FAILURES ================================
_______________________________ test_total _______________________________

    def test_total():
>       assert total([None]) == 3
               ^^^^^^^^^^^^^

tests/test_cart.py:5:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

items = [None]

    def total(items):
>       return sum(items)
E       TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'

shop/cart.py:3: TypeError
======================== short test summary info =========================
FAILED tests/test_cart.py::test_total - TypeError: unsupported operand
"""
PYTEST_SHORT: Final = """_______________________________ test_total _______________________________
tests/test_cart.py:5: in test_total
    assert total([None]) == 3
shop/cart.py:3: in total
    return sum(items)
E   TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'
"""
NODE: Final = """/srv/app/src/cart.js:10
    throw new Error("no total", { cause });
    ^

Error: no total
    at total (/srv/app/src/cart.js:10:5)
    at Object.<anonymous> (/srv/app/index.js:3:1)
    at async Promise.all (index 0)
    at new Cart (file:///srv/app/src/shop.mjs:1:2)
    at Module._compile (node:internal/modules/cjs/loader:1105:14) {
  [cause]: TypeError: Cannot read properties of undefined (reading 'price')
      at inner (/srv/app/node_modules/lodash/lodash.js:7:3)
      at Cart.price [as cost] (/srv/app/src/price.js:2:9)
}

Node.js v18.19.0
"""
JEST: Final = """  ● cart > totals

    expect(received).toBe(expected) // Object.is equality

    Expected: 3
    Received: 2

      at total (src/cart.js:10:5)
      at Object.<anonymous> (test/cart.test.js:9:24)
"""
JAVA: Final = """Exception in thread "main" com.shop.CartException: cannot total
\tat com.shop.Cart.total(Cart.java:42)
\tat com.shop.Main.main(Main.java:7)
Caused by: java.lang.NullPointerException: Cannot invoke "com.shop.Item.price()" because "item" is null
\tat com.shop.Item.sum(Item.java:12)
\tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
\t... 1 more
"""
GO: Final = """panic: runtime error: index out of range [3] with length 3 [recovered]
\tpanic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
panic({0x1, 0x2})
\t/usr/local/go/src/runtime/panic.go:884 +0x212
example.com/shop/cart.(*Cart).Total(0xc000012345, {0x1, 0x2})
\t/srv/app/cart/cart.go:12 +0x1d
main.main()
\t/srv/app/main.go:7 +0x2a

goroutine 5 [chan receive]:
main.other(...)
\t/srv/app/other.go:3
exit status 2
"""
GO_TEST: Final = """--- FAIL: TestTotal (0.00s)
    cart_test.go:10: got 2, want 3
FAIL
"""
RUBY: Final = """/srv/app/lib/cart.rb:3:in `total': undefined method `price' for nil:NilClass (NoMethodError)
\tfrom /srv/app/lib/cart.rb:10:in `block in sum'
\tfrom /srv/app/main.rb:2:in `<main>'
"""
RUBY_34: Final = """/srv/app/lib/cart.rb:3:in 'Cart#total': undefined method 'price' for nil (NoMethodError)
\tfrom /srv/app/main.rb:2:in '<main>'
"""
RUBY_25: Final = """Traceback (most recent call last):
\t2: from /srv/app/main.rb:2:in `<main>'
\t1: from /srv/app/lib/cart.rb:10:in `sum'
/srv/app/lib/cart.rb:3:in `total': undefined method `price' for nil:NilClass (NoMethodError)
"""
RSPEC: Final = """  1) Cart totals
     Failure/Error: item.price

     NoMethodError:
       undefined method `price' for nil:NilClass
     # ./lib/cart.rb:3:in `total'
     # ./spec/cart_spec.rb:5:in `block (2 levels) in <top (required)>'
"""
