"""Coverage-guided fuzzing of whatever is decoded: programs, for which `atheris` must be there."""
