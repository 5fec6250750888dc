"""What interval arithmetic raises where more digits may help."""


class Undecided(ArithmeticError):
    """The present precision does not decide a comparison or a domain."""
