"""What a month's bulletin counts, and what of it may be shown.

`standing` says what became of each attempt, `counting` adds a month up, `disclosure` withholds what
would tell of single customers, and `contents` is what is left: what a bulletin publishes.
"""
