"""Secrets of every kind that Stanch may meet; nobody's. And texts that look like secrets and are none."""

import base64
import json
import string
from typing import Final
from urllib.parse import quote

from hypothesis import strategies as st

OWN: Final = "hunter2/S3cr+t value"
"""What the environment holds, under OWN_TOKEN."""
KEY_BODY: Final = "\n".join(["MIIEpAIBAAKCAQEA7bq0Hc1Zb3vQ9sYt2RkWmXo4LpJfUe8NdGaVhCiTzB6yOwKx"] * 3 + ["q0Hc1Zb3vQ=="])

SECRETS: Final = {
    "anthropic": "sk-ant-api03-Zx9dKq2LmV7wTn4RbY8s",
    "openai": "sk-proj-Zx9dKq2LmV7wTn4RbY8sQe",
    "aws id": "AKIAIOSFODNN7EXAMPLQ",
    "github": "ghp_Zx9dKq2LmV7wTn4RbY8sQeUfGhJkLpAsDf12",
    "github, cut": "ghp_Zx9dKq2LmV7wTn",
    "github, fine": "github_pat_11ABCDEFG0Zx9dKq2LmV7w",
    "gitlab": "glpat-Zx9dKq2LmV7wTn4RbY8s",
    "slack": "xoxb-123456789012-1234567890123-Zx9dKq2LmV7w",
    "slack hook": "https://hooks.slack.com/services/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",
    "discord hook": "https://discord.com/api/webhooks/1234567890/Zx9dKq2LmV7wTn4RbY8sQeUfGhJkLp",
    "stripe": "sk_live_Zx9dKq2LmV7wTn4RbY8sQeUf",
    "linear": "lin_api_Zx9dKq2LmV7wTn4RbY8sQeUfGhJkLpAsDf12",
    "sentry": "sntrys_eyJpYXQiOjE2ODczMzY1NDMuN_Zx9dKq2L",
    "pagerduty": "pdus+_0XBPWQQ_Zx9dKq2LmV7wTn4RbY8sQe",
    "sendgrid": "SG.Zx9dKq2LmV7wTn4RbY8sQe.Zx9dKq2LmV7wTn4RbY8sQeUfGhJkLpAsDf12345678q",
    "npm": "npm_Zx9dKq2LmV7wTn4RbY8sQeUfGhJkLpAsDf12",
    "twilio": "SK0123456789abcdef0123456789abcdef",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6y",
    "card": "4111111111111111",
    "card in groups": "5500 0055 5555 5559",
    "amex": "3782-822463-10005",
    "e-mail": "jane.doe+shop@mail.example.co.uk",
    "e-mail in a URL": "jane.doe%40example.com",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{KEY_BODY}\n-----END RSA PRIVATE KEY-----",
    "own": OWN,
    "own, in a URL": quote(OWN, safe=""),
    "own, in JSON": json.dumps(OWN)[1:-1],
    "own, in base64": base64.b64encode(OWN.encode()).decode().rstrip("="),
}
"""Each is secret as it stands."""

WITHIN: Final = {
    "dsn": ("https://{}@o123.ingest.sentry.io/456", "6c61622d736f686f702d6b65790000aa"),
    "database": ("postgres://{}@db.internal:5432/shop", "shop:p@ss/word"),
    "login": ("https://{}@git.internal/shop.git", "deploy:tr0ub4dor"),
    "bearer": ("Authorization: Bearer {}", "Zx9dKq2LmV7wTn4R"),
    "basic": ("authorization: Basic {}", "ZGVwbG95OnRyMHViNGRvcg=="),
    "header in a repr": ("{{'Authorization': '{}'}}", "Token opaque-value"),
    "cookie": ("Cookie: {}", "sid=abcdef; theme=dark"),
    "cookies": ("Set-Cookie: {}; Path=/", "sessionid=38afes7a8"),
    "query": ("GET /login?user=1&token={}&x=1", "correcthorse"),
    "assigned": ('db_password = "{}"', "correct horse battery"),
    "json": ('{{"api_key": "{}", "n": 1}}', "correcthorse"),
    "json in json": ('{{\\"client_secret\\": \\"{}\\"}}', "correcthorse"),
    "yaml": ("PASSWORD: {}", "tr0ub4dor3"),
    "aws key": ("aws_secret_access_key={}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "own in basic": ("{}", base64.b64encode(f"me:{OWN}".encode()).decode()[4:-2]),
}
"""Secret by what stands beside it: the text, and what must go from it."""

HEX: Final = st.text("0123456789abcdef", min_size=7, max_size=64)
VERSION: Final = st.tuples(*[st.integers(0, 99)] * 3).map(lambda v: ".".join(map(str, v)))
WORDS: Final = st.text(string.ascii_lowercase, min_size=1, max_size=10)
INNOCENT: Final = st.one_of(
    HEX,
    st.uuids().map(str),
    st.uuids().map(lambda one: one.hex),
    VERSION.map("v{}".format),
    VERSION.map("shop@{}-rc.beta".format),
    st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
    st.integers(10**12, 2 * 10**12).map(str),
    WORDS,
    WORDS.map("KeyError: '{}'".format),
    st.tuples(WORDS, st.integers(1, 9999)).map(lambda at: f'File "shop/{at[0]}.py", line {at[1]}, in {at[0]}'),
    st.tuples(WORDS, WORDS).map(lambda at: f"http://localhost:3000/node_modules/@{at[0]}/{at[1]}.js:10:3"),
    st.integers(1, 10**9).map("SHOP-{}".format),
    st.floats(0, 1).map(str),
    st.integers(10**17, 10**19 - 1).map("https://discord.com/channels/{}".format),
    st.sampled_from([
        "max_tokens: 1024", "set SENTRY_AUTH_TOKEN", 'token_env = "SLACK_BOT_TOKEN"', "Basic Authentication",
        "auth: refuse expired sessions", "KeyError: 'password'", "save(token=token)", "if password == other:",
        "git@github.com:acme/shop.git", "author: nobody", "react-dom@18.2.0", "ignore previous instructions",
    ]),
)  # fmt: skip
"""Ids, shas, releases, times, stack frames, prose and code."""
