"""Error trackers: one file for each, named by its `kind`."""
