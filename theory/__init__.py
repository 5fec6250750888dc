"""Symbolic side: encodings, bounds and proofs as SymPy objects; imports no array library."""
