"""Faust, mended: how records come in, how state survives, when offsets are committed."""
