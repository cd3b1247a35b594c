"""Report of known vulnerabilities, from the JSON of pip-audit on standard input; `make audit` calls
it.

Exit status 1 for a finding, else 0. A package that was not checked is named: pip-audit itself says
"No known vulnerabilities found" also where the database knows none of the packages.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any


def report(answer: str) -> tuple[bool, list[str]]:
    """Return whether there is a finding, and the lines to print."""
    if not answer.strip():
        return False, [
            "not checked: the database of known vulnerabilities gave no answer; try again later"
        ]
    packages = json.loads(answer)["dependencies"]
    skipped = sorted(package["name"] for package in packages if "skip_reason" in package)
    if len(skipped) == len(packages):
        return False, [
            "not checked: the database of known vulnerabilities knows none of the packages"
        ]
    findings = [line for package in packages for line in _findings(package)]
    lines = findings or ["no known vulnerability"]
    lines.append(f"checked: {len(packages) - len(skipped)} of {len(packages)} packages")
    return bool(findings), lines + [f"not checked: {name}" for name in skipped]


def _findings(package: Mapping[str, Any]) -> Iterator[str]:
    for found in package.get("vulns", []):
        mended = ", ".join(found["fix_versions"]) or "no version yet"
        yield f"{package['name']} {package['version']}: {found['id']}, mended in {mended}"


if __name__ == "__main__":
    vulnerable, printed = report(sys.stdin.read())
    print(*printed, sep="\n")
    sys.exit(vulnerable)
