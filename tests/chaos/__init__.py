"""Faults while the product works, and what is left compared with an undisturbed fold.

`python -m tests.chaos` runs them and prints the table that `docs/faults.md` shows. `traffic` is
what is sent meanwhile, `faults` what goes wrong, `supervision` who starts again what has ended,
`campaign` one run with its verdict, and `gangs` one with heat and campaigns.
"""
