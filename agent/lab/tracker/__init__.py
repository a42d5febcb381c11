"""The lab's error tracker: takes events as Sentry does, and answers `/api/0` as Sentry does."""
