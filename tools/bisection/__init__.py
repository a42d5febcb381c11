"""A bisector: which commit broke it, proven by running a command at commits, several at once."""
