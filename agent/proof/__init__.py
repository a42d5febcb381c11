"""The exhaustive check of the guard: every reachable state, every call, every outcome, every fact from outside."""
