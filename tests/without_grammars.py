"""A plug-in of pytest: the tests are collected without the grammars that jsonschema would build.

rfc3987_syntax builds 38 grammars when it is imported, by way of nbval and nbformat: 3 of the 5
seconds that each of the three processes of `make test` needs before it looks at a test. Nothing
here checks addresses by a schema. It must be named by -p: pytest loads nbval before any conftest.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType]
