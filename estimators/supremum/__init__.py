"""Search and certificates for suprema over norm-bounded parameter sets."""
