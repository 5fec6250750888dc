"""One thread per worker for linear algebra: small problems on few cores lose by more. Set before NumPy is imported."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
