"""Write what the interpreter that runs this has installed as a CycloneDX document to standard output. Needs no package.

Run it with the environment into which a wheel was installed: `build/try/bin/python .ci/sbom.py zpo2-warehouse >build/zpo2-warehouse.cdx.json`.
The same environment gives the same bytes, so the document has neither a time nor a serial number.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, distributions
from typing import Any
from urllib.parse import quote


def component(distribution: Distribution, kind: str) -> dict[str, Any]:
    """Return an installed distribution as a component of CycloneDX."""
    name, version = normalised(distribution.metadata["Name"]), distribution.version
    purl = f"pkg:pypi/{name}@{quote(version, safe='')}"
    found: dict[str, Any] = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    licences = distribution.metadata.get_all("License-Expression")
    return {**found, "licenses": [{"expression": licences[0]}]} if licences else found


def document(subject: str) -> dict[str, Any]:
    """Return the document about the distribution `subject`, whose components are all others. Raises KeyError where it is not installed."""
    installed = {normalised(d.metadata["Name"]): d for d in distributions() if d.metadata["Name"]}
    own = installed.pop(normalised(subject))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(own, "application")},
        "components": [component(installed[name], "library") for name in sorted(installed)],
    }


def normalised(name: str) -> str:
    """Return the name of a distribution as the package index writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    try:
        print(json.dumps(document(sys.argv[1]), indent=2, ensure_ascii=False))
    except (IndexError, KeyError):
        sys.exit("usage: sbom.py DISTRIBUTION, which must be installed in the environment of this interpreter")
