"""Numerical side: intervals for the quantities that `theory` bounds. Importing it switches JAX to float64."""

import jax

jax.config.update("jax_enable_x64", True)
