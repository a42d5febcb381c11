"""Serves an ASGI app on a free loopback port, in a thread, for as long as a test needs it."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def serving(app: ASGIApp) -> Generator[str]:
    """Its base URL, without a trailing slash."""
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # with proto 0 asyncio leaves Nagle on: 40 ms an answer
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none", access_log=False))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(5)
            assert not thread.is_alive(), "the app still answers a request; end it before leaving"
