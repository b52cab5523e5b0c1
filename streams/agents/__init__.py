"""The Faust agents: each hands what arrives to whoever knows what to do with it."""
