"""The monthly bulletin: read from topics or files, counted by `detectors.bulletin`, written.

`recorded` reads, `document` says it in words and plots, `writing` writes the files.
"""
