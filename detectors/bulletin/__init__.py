"""What a month's bulletin counts, and what of it may be shown.

`standing` says what became of each attempt, `counting` adds a month up, `breakdowns` puts it into
rows, of which `disclosure` withholds what would tell of single customers. `contents` is what a
bulletin publishes. `elsewhere` says which campaigns others have told of.
"""
