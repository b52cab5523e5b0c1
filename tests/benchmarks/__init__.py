"""Programs that measure. They are run by hand (`make bench`), never as tests."""
