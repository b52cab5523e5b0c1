"""Heat: sightings, counting, judging, the table, first victims."""
