"""What pyshacl finds in a catalogue by the shapes of DCAT-AP, which lie outside of this project."""

from __future__ import annotations

import pyshacl
import pytest
from rdflib import RDF, SH, Graph

from tests.support.command import SHARED

STANDARDS = SHARED / "standards"
BASE, STRUCTURE, RANGE, DEPRECATED, RECOMMENDED = (
    "dcat-ap-3.0.1/shacl/dcat-ap-SHACL.ttl",
    "dcat-ap-3.0.1/html/shacl/shapes.ttl",
    "dcat-ap-3.0.1/html/shacl/range.ttl",
    "dcat-ap-3.0.1/html/shacl/deprecateduris.ttl",
    "dcat-ap-3.0.1/html/shacl/shapes_recommended.ttl",
)
DCAT_AP = (BASE, STRUCTURE, RANGE, DEPRECATED, RECOMMENDED)
HIGH_VALUE = "dcat-ap-hvd-3.0.0/html/hvd-SHACL-full.ttl"


def needed() -> None:
    """Skip the test where the shapes are not there."""
    if not (STANDARDS / BASE).is_file():
        pytest.skip(f"{STANDARDS} does not exist: the catalogue cannot be held against the shapes of DCAT-AP")


def findings(graph: Graph, shapes: str | Graph, inference: str = "none") -> list[str]:
    """Return path and message of every violation and every warning that the shapes of one file have."""
    rules = Graph().parse(STANDARDS / shapes) if isinstance(shapes, str) else shapes
    conforms, report, _ = pyshacl.validate(graph, shacl_graph=rules, inference=inference, allow_warnings=False)
    messages = sorted(
        f"{report.value(result, SH.resultPath)}: {report.value(result, SH.resultMessage)}"
        for result in report.subjects(RDF.type, SH.ValidationResult)
    )
    assert conforms == (not messages)
    return messages
