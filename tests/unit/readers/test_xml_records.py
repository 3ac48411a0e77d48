"""XML by path: elements, attributes, repeats; and what must never be followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.readers import ReadOptions, UnreadableSnapshot, read

LIST = """<?xml version="1.0" encoding="utf-8"?>
<list xmlns="urn:x"><about>none</about><items>
 <item id="1"><name lang="cs">Brno &amp; okolí</name><place><lat>49.2</lat></place><tag>a</tag><tag>b</tag></item>
 <item id="2"><name/></item>
 <item>only text</item>
</items></list>"""


class TestXmlReader:
    def test_reads_elements_at_a_path(self, file: Callable[[str], Path]) -> None:
        result = read(file(LIST), ReadOptions(format="xml", records="/list/items/item")).to_dicts()
        first = {"@id": "1", "name/@lang": "cs", "name": "Brno & okolí", "place/lat": "49.2", "tag": "a", "tag.2": "b"}
        assert {k: v for k, v in result[0].items() if v is not None} == {**first, "__row": 1}
        assert {k: v for k, v in result[1].items() if v is not None} == {"@id": "2", "__row": 2}
        assert result[2]["text"] == "only text"

    def test_reads_children_of_the_root(self, file: Callable[[str], Path]) -> None:
        result = read(file("<a><b><c>1</c></b><b><c>2</c></b></a>"), ReadOptions(format="xml"))
        assert result["c"].to_list() == ["1", "2"]

    def test_other_encodings(self, file: Callable[[bytes], Path]) -> None:
        text = '<?xml version="1.0" encoding="windows-1250"?><a><b><c>Žďár</c></b></a>'
        assert read(file(text.encode("cp1250")), ReadOptions(format="xml"))["c"].to_list() == ["Žďár"]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ('<!DOCTYPE a [<!ENTITY x "ha">]><a><b>&x;</b></a>', "declaration"),
            ('<!DOCTYPE a SYSTEM "file:///etc/hosts"><a/>', "declaration"),
            ('<!DOCTYPE a [<!ENTITY x SYSTEM "http://169.254.169.254/">]><a>&x;</a>', "declaration"),
            ("<a><b></a>", "line 1: not XML: mismatched tag"),
            ("<a>" * 70 + "</a>" * 70, "nested more than"),
            ("<html><body>log in<br></body></html>", "not XML"),
            ("", "not XML"),
            ("<a><b/></a>", "no element at /list/item; the root is a"),
            *((f"<?xml version='1.0' encoding='{name}'?><a/>", "encoding") for name in ("nix", "shift_jis", "zip", "undefined", "ibm500")),
        ],
    )
    def test_refuses_dangerous_documents(self, file: Callable[[str], Path], text: str, reason: str) -> None:
        with pytest.raises(UnreadableSnapshot, match=reason):
            read(file(text), ReadOptions(format="xml", records="/list/item"))

    @pytest.mark.slow
    def test_reads_a_real_gzipped_document(self, real: Callable[[str], Path]) -> None:
        path = "/tree/branch/children/branch/children/branch/children/leaf"
        result = read(real("table_of_contents_2024-08-09.xml.gz"), ReadOptions(format="xml", records=path))
        assert result.height > 100
        assert {"code", "title", "@type"} <= set(result.columns)
