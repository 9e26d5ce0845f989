"""Imported by the fork server: what notebooks import, and the tables that never change in a run.

Each run is forked from a process that holds all this already.
"""

import builtins
import gc
import sys
import traceback
from importlib import import_module
from types import SimpleNamespace

MODULES = (
    "numpy",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "statsmodels.duration.survfunc",
    "statsmodels.stats.meta_analysis",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "seaborn",
    "pandas.io.formats.csvs",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "IPython.core.completerlib",
    "IPython.core.magics",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "psutil",
    "sqlite3",
    "capelib.runs.cells",
)


def preload() -> None:
    """Import all of it as a kernel would: pandas asks whether it is in one (its display width)."""
    gc.disable()  # all that is made here stays
    builtins.get_ipython = lambda: SimpleNamespace(kernel=True)
    try:
        import pandas  # noqa: F401
    finally:
        del builtins.get_ipython
    for name in MODULES:
        import_module(name)
    import PIL.Image

    import capelib
    from capelib.findings.bibliography import publications, reference
    from capelib.reference import regimes

    for name in capelib.__all__:
        getattr(capelib, name)
    PIL.Image.preinit()  # else done again in each run, with its first picture
    capelib.load()
    capelib.findings.relations()
    for key in publications():
        reference(key)  # LaTeX is slow to read
    regimes.by_year()
    gc.freeze()  # never collected: a run shares it instead of copying it
    gc.enable()


if sys.argv[:1] == ["-c"]:  # this is the fork server
    try:
        preload()
    except Exception:  # without it runs are only slower, or say themselves what is wrong
        traceback.print_exc()
