"""Nothing is lost and nothing counts twice, whatever fails: `python -m tests.chaos`."""
