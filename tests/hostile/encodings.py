"""Cases of bytes that are not in the declared encoding, or in none at all. A text that is not exactly right must not pass as a value."""

from __future__ import annotations

import codecs

from tests.hostile.case import BRNO, PRAHA, ZELECHOVICE, Bad, Case, Outcome, table

GROUP = "Encodings"
TOWN = "Žďár nad Sázavou"
# the text itself is under contract: what was decoded wrongly is none of the values
NAMED = f'{{code: {{required: true}}, name: {{required: true, values: ["{TOWN}"]}}, value: {{type: number}}}}'
HEADER = "code,name,value"
LINES = (f"554782,{TOWN},1", f"582786,{TOWN},2")
BOTH = Outcome(((PRAHA, 1.0), (BRNO, 2.0)))
NOT_THE_TEXT = f"name: not one of {TOWN}"


def named(encoding: str) -> bytes:
    return table(*LINES, header=HEADER, encoding=encoding)


def _mixed() -> bytes:
    """Two files glued together by somebody: the second row is in another encoding than the first."""
    return f"{HEADER}\n554782,{TOWN},1\n".encode() + f"582786,{TOWN},2\n".encode("cp1250") + f"500011,{TOWN},3\n".encode()


def _json(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


CASES = [
    Case(
        "cp1250_as_utf8", GROUP, "windows-1250 where UTF-8 is declared: the rows with letters beyond ASCII are not decodable",
        table("554782,Praha,1", f"582786,{TOWN},2", header=HEADER, encoding="cp1250"),
        Outcome(((PRAHA, 1.0),), (Bad(3, None, "bytes not valid in utf-8: 0x8e 0xef 0xe1"),)),
        columns='{code: {required: true}, name: {required: true}, value: {type: number}}',
    ),
    Case("cp1250_declared", GROUP, "windows-1250, and declared so", named("cp1250"), BOTH,
         read="{format: csv, encoding: windows-1250}", columns=NAMED),
    Case(
        "utf8_as_cp1250", GROUP, "UTF-8 where windows-1250 is declared: every byte decodes, and the text is wrong (mojibake)",
        named("utf-8"),
        Outcome((), (Bad(2, None, NOT_THE_TEXT), Bad(3, None, NOT_THE_TEXT))),
        read="{format: csv, encoding: windows-1250}", columns=NAMED,
    ),
    Case(
        "mojibake_twice", GROUP, "the provider's own mojibake: UTF-8 read as windows-1252 and saved as UTF-8 again, in one row",
        table(f"554782,{TOWN},1", f"582786,{TOWN.encode().decode('cp1252', 'replace')},2", header=HEADER),
        Outcome(((PRAHA, 1.0),), (Bad(3, None, NOT_THE_TEXT),)), columns=NAMED,
    ),
    Case("iso_8859_2_as_cp1250", GROUP, "ISO 8859-2 where windows-1250 is declared: two letters differ, and become control characters",
         named("iso8859-2"), Outcome((), (Bad(2, None, NOT_THE_TEXT), Bad(3, None, NOT_THE_TEXT))),
         read="{format: csv, encoding: windows-1250}", columns=NAMED),
    Case("utf8_bom", GROUP, "a UTF-8 byte order mark before the header", named("utf-8-sig"), BOTH, columns=NAMED),
    Case("utf8_bom_twice", GROUP, "two byte order marks, from two tools in a row: the second is part of the first name",
         codecs.BOM_UTF8 + named("utf-8-sig"), Outcome(refused="the file has no column code"), columns=NAMED),
    Case("utf8_bom_cp1250_declared", GROUP, "a UTF-8 byte order mark where windows-1250 is declared: the mark goes first",
         named("utf-8-sig"), BOTH, read="{format: csv, encoding: windows-1250}", columns=NAMED),
    Case("utf16_le_bom", GROUP, "UTF-16, little-endian, with its mark (a spreadsheet's “Unicode text”)", named("utf-16"), BOTH,
             columns=NAMED),
    Case("utf16_be_bom", GROUP, "UTF-16, big-endian, with its mark",
         codecs.BOM_UTF16_BE + named("utf-16-be"), BOTH, columns=NAMED),
    Case("utf16_no_bom", GROUP, "UTF-16 without its mark, read as UTF-8: a NUL after each letter", named("utf-16-le"),
         Outcome(refused="the header cannot be read: a NUL character"), columns=NAMED),
    Case("utf16_odd_length", GROUP, "UTF-16 cut in the middle of a character: only the last row is broken", named("utf-16")[:-1],
         Outcome(((PRAHA, 1.0),), (Bad(3, None, "bytes not valid in utf-16-le: 0x0a"),)), columns=NAMED),
    Case("utf32_bom", GROUP, "UTF-32 with its mark", named("utf-32"), BOTH, columns=NAMED),
    Case("ascii_declared", GROUP, "letters beyond ASCII where ASCII is declared", named("utf-8"),
         Outcome((), (Bad(2, None, "bytes not valid in ascii"), Bad(3, None, "bytes not valid in ascii"))),
         read="{format: csv, encoding: ascii}", columns=NAMED),
    Case("one_row_of_another_encoding", GROUP, "one row in windows-1250 among rows in UTF-8", _mixed(),
         Outcome(((PRAHA, 1.0), (ZELECHOVICE, 3.0)), (Bad(3, None, "bytes not valid in utf-8"),)), columns=NAMED),
    Case("overlong_utf8", GROUP, "an overlong encoding of `/` (0xC0 0xAF), which no decoder may accept",
         table("554782,1", "582786,2") + b"500011\xc0\xaf,3\n",
         Outcome(((PRAHA, 1.0), (BRNO, 2.0)), (Bad(4, None, "bytes not valid in utf-8: 0xc0 0xaf"),))),
    Case("surrogate_bytes", GROUP, "half of a surrogate pair encoded as if it were a character (CESU)",
         table("554782,1") + b"582786\xed\xa0\xbd,2\n", Outcome(((PRAHA, 1.0),), (Bad(3, None, "bytes not valid in utf-8"),))),
    Case("bytes_of_no_letter", GROUP, "a byte that windows-1250 does not have",
         table("554782,1") + b"582786\x81,2\n", Outcome(((PRAHA, 1.0),), (Bad(3, None, "bytes not valid in cp1250: 0x81"),)),
         read="{format: csv, encoding: windows-1250}"),
    Case("invalid_header", GROUP, "an undecodable byte in the header: no name can be trusted",
         b"code,hodnota\xe9,value\n554782,x,1\n", Outcome(refused="the header cannot be read: bytes not valid in utf-8: 0xe9")),
    Case("nul_in_a_row", GROUP, "NUL bytes in one row, from a disk or a C string", table("554782,1") + b"582786\0\0,2\n" + b"500011,3\n",
         Outcome(((PRAHA, 1.0), (ZELECHOVICE, 3.0)), (Bad(3, None, "a NUL character"),))),
    Case("nul_tail", GROUP, "a file padded with NUL bytes to the size of a disk block", table("554782,1") + b"\0" * 4096,
         Outcome(((PRAHA, 1.0),), (Bad(3, None, "a NUL character"),))),
    Case("json_lone_surrogate", GROUP, "half of a surrogate pair as a JSON escape: no text, only that record is broken",
         _json('[{"code": "554782", "value": 1}, {"code": "582786\\ud83d", "value": 2}, {"code": "500011", "value": 3}]'),
         Outcome(((PRAHA, 1.0), (ZELECHOVICE, 3.0)), (Bad(2, None, "surrogate"),)),
         name="lone_surrogate.json", read="{format: json}"),
    Case("json_nul_escape", GROUP, "a NUL as a JSON escape inside a code: it is no code that anybody knows",
         _json('[{"code": "554782", "value": 1}, {"code": "5827\\u000086", "value": 2}]'),
         Outcome(((PRAHA, 1.0),), (Bad(2, None, "a NUL character"),)), name="nul.json", read="{format: json}"),
    Case("json_cp1250", GROUP, "JSON in windows-1250 (JSON is UTF-8): the whole is refused, with the line",
         ('[\n{"code": "554782", "value": 1},\n{"code": "Žďár", "value": 2}]').encode("cp1250"),
         Outcome(refused="line 3: bytes that are not valid in utf-8"), name="cp1250.json", read="{format: json}"),
    Case("json_utf16", GROUP, "JSON in UTF-16 with its mark", '[{"code": "554782", "value": 1}]'.encode("utf-16"),
         Outcome(((PRAHA, 1.0),)), name="utf16.json", read="{format: json}"),
    Case("xml_declares_cp1250", GROUP, "XML that declares windows-1250 itself",
         f'<?xml version="1.0" encoding="windows-1250"?><l><r><code>554782</code><name>{TOWN}</name><value>1</value></r></l>'.encode("cp1250"),
         Outcome(((PRAHA, 1.0),)), name="cp1250.xml", read="{format: xml}", columns=NAMED),
    Case("xml_lies_about_encoding", GROUP, "XML that says UTF-8 and is windows-1250",
         f'<?xml version="1.0" encoding="utf-8"?><l><r><code>554782</code><name>{TOWN}</name></r></l>'.encode("cp1250"),
         Outcome(refused="not XML: not well-formed"), name="lies.xml", read="{format: xml}", columns=NAMED),
    Case("decomposed_letters", GROUP, "letters as base letter and combining mark (NFD): equal to the eye, another text to the contract",
         table(f"554782,{TOWN},1", "582786,Z\u030cd\u030ca\u0301r nad Sa\u0301zavou,2", header=HEADER),
         Outcome(((PRAHA, 1.0),), (Bad(3, None, NOT_THE_TEXT),)), columns=NAMED),
]  # fmt: skip
