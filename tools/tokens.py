"""What is a secret by its form, whatever its name: tokens, by how those who issue them begin them."""

from typing import Final

TOKENS: Final = (
    r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{16}",
    r"sk-[A-Za-z0-9_-]{16,}",
    r"gh[pousr]_[A-Za-z0-9_]{10,}",
    r"github_pat_[A-Za-z0-9_]{10,}",
    r"gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|rtr|soat|wt)-[A-Za-z0-9_-]{16,}",
    r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{8,}",
    r"sntry[a-z]{1,2}_[A-Za-z0-9+/=_.-]{8,}",
    r"pd(?:us|eu)\+[A-Za-z0-9_+-]{8,}",
    r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}",
    r"xapp-[0-9]+-[A-Za-z0-9-]{8,}",
    r"[rsp]k_(?:live|test)_[A-Za-z0-9]{8,}",
    r"whsec_[A-Za-z0-9+/=]{16,}",
    r"AIza[A-Za-z0-9_-]{30,}",
    r"ya29\.[A-Za-z0-9_-]{10,}",
    r"hf_[A-Za-z0-9]{20,}",
    r"pypi-[A-Za-z0-9_-]{50,}",
    r"https://[a-z.]*discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]+",
    r"eyJ[A-Za-z0-9_=-]{8,}\.[A-Za-z0-9_.+/=-]*",
)
"""As `re` and RE2 both read them; `eyJ` begins a JWT. What the libraries of `agent.core` know besides stands there."""
