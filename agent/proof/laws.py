"""The laws: what may never happen, whatever the guard thinks. One function for each; its docstring is the law.

To add a guard: write its law into `changing.py` or `telling.py`, add it here, and see that a move tries to break it. A
law that forbids nothing that was tried fails the proof, for it could not fail.
"""

from typing import Final

from agent.proof import changing, telling
from agent.proof.law import Law

LAWS: Final[dict[str, Law]] = {
    "G1": changing.g1,
    "G2": changing.g2,
    "G3": telling.g3,
    "G4": telling.g4,
    "G5": changing.g5,
    "G6": changing.g6,
    "G7": telling.g7,
    "G8": telling.g8,
    "G9": telling.g9,
    "G10": changing.g10,
    "G11": telling.g11,
    "G12": changing.g12,
    "G13": changing.g13,
    "policy": changing.leave,
    "journal": telling.journal,
}
