"""Finds modules by what they define, without importing them; helper files are skipped."""

import re
from collections.abc import Iterable
from importlib.machinery import FileFinder, SourceFileLoader
from pkgutil import ModuleInfo, iter_modules


def modules_defining(folders: Iterable[str], name: str) -> tuple[str, ...]:
    """Modules and packages directly in these folders that assign `name` at top level, in order."""
    assigned = re.compile(rf"^{re.escape(name)}\s*[:=]", re.MULTILINE)
    return tuple(
        sorted(each.name for each in iter_modules(folders) if assigned.search(_source(each)))
    )


def _source(module: ModuleInfo) -> str:
    finder = module.module_finder
    spec = finder.find_spec(module.name) if isinstance(finder, FileFinder) else None
    loader = None if spec is None else spec.loader
    return loader.get_source(module.name) or "" if isinstance(loader, SourceFileLoader) else ""
