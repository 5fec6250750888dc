"""Shapes and types of public arrays are checked at run time, in tests only."""

from jaxtyping import install_import_hook

install_import_hook(["estimators"], "beartype.beartype")
