"""Rules that every member of a family keeps, whichever it is."""
