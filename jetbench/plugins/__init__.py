"""What third parties add: components of a local file, which is given, or of an installed package, by its entry points.

A module tells what it adds in its list `JETBENCH`, of rows like those of the built-in tables. Nothing here knows what a component
is: the tables ask for what was added to them.
"""

from jetbench.plugins.given import scope, use
from jetbench.plugins.kept import adopt, keep, kept_files, kept_with
from jetbench.plugins.rows import TABLES, Offer
from jetbench.plugins.table import OpenRegistry

__all__ = ["TABLES", "Offer", "OpenRegistry", "adopt", "keep", "kept_files", "kept_with", "scope", "use"]
