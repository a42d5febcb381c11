"""Nothing that this process logs, warns of or dies with shows a secret, whichever library says it."""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

Text = Callable[[str], str]


def discreet(clean: Text) -> None:
    """Pass every log record, warning and unhandled exception of this process through `clean`, from now on.

    Records are cleaned as they are made, so that it holds for every logger and handler, our own or a library's. None
    of them holds what a terminal would obey.
    """

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging calls it
        made = logging.LogRecord(*args, **kwargs)
        made.msg, made.args = printable(clean(_message(made))), None
        if made.exc_info and made.exc_info[1]:
            made.exc_text = printable(clean(_told(made.exc_info[1])))
        return made

    def died(_kind: type[BaseException], error: BaseException, _at: TracebackType | None) -> None:
        sys.stderr.write(f"{printable(clean(_told(error)))}\n")

    def ended(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            died(args.exc_type, args.exc_value, None)

    logging.setLogRecordFactory(record)
    logging.captureWarnings(capture=True)
    sys.excepthook, threading.excepthook = died, ended


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return f"{record.msg} {record.args}"


def printable(text: str) -> str:
    """Text that may come from outside, without what a terminal would obey."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
