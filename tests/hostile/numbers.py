"""Cases of numbers as people and programs write them: what can be read only one way is read, what could mean two things is not."""

from __future__ import annotations

from tests.hostile.case import BRNO, PRAHA, ZELECHOVICE, Bad, Case, Outcome, table

GROUP = "Numbers"
CZECH = '{format: csv, delimiter: ";", decimal: ",", thousands: " "}'
INTEGERS = "{code: {required: true}, value: {type: integer}}"


def czech(*lines: str) -> bytes:
    return table(*lines, header="code;value")


def one_bad(reason: str, value: float = 1.0) -> Outcome:
    """The first row is good, the cell of the second is in quarantine."""
    return Outcome(((PRAHA, value),), (Bad(3, "value", reason),))


def good(*values: float) -> Outcome:
    return Outcome(tuple(zip((PRAHA, BRNO, ZELECHOVICE), values, strict=False)))


CASES = [
    Case("decimal_comma", GROUP, "a decimal comma, declared", czech("554782;1,5", "582786;-0,25", "500011;,5"), good(1.5, -0.25, 0.5),
             read=CZECH),
    Case("decimal_comma_undeclared", GROUP, "a decimal comma that nobody declared", table('554782,1', '582786,"1,5"'),
             one_bad("not a number")),
    Case("comma_thousands_undeclared", GROUP, "`1,234` without declared thousands: one or a thousand? Neither",
         table("554782,1", '582786,"1,234"'), one_bad("not a number")),
    Case("space_thousands", GROUP, "a space between thousands", czech("554782;1 234 567,5", "582786;12 345"), good(1234567.5, 12345.0),
             read=CZECH),
    Case("nbsp_thousands", GROUP, "a no-break space between thousands", czech("554782;1\u00a0234\u00a0567", "582786;12\u00a0345,5"),
         good(1234567.0, 12345.5), read=CZECH),
    Case("narrow_nbsp_thousands", GROUP, "a narrow no-break space between thousands, as ICU writes them",
         czech("554782;1\u202f234\u202f567", "582786;12\u202f345,5"), good(1234567.0, 12345.5), read=CZECH),
    Case("thousands_in_wrong_places", GROUP, "spaces that are not between thousands: perhaps two numbers in one cell",
         czech("554782;1", "582786;12 34"), one_bad("not a number"), read=CZECH),
    Case("dot_thousands_ambiguous", GROUP, "`1.234` where the comma is the decimal mark: a thousand, or a point from a program?",
         czech("554782;1,0", "582786;1.234"), one_bad("a dot is neither decimal mark nor thousands separator"), read=CZECH),
    Case("apostrophe_thousands", GROUP, "apostrophes between thousands, straight and typographic, declared",
         czech("554782;1'234'567", "582786;12\u2019345"), good(1234567.0, 12345.0),
         read="{format: csv, delimiter: \";\", thousands: \"'\"}"),
    Case("trailing_minus", GROUP, "the minus behind the number, as SAP and the Czech State Treasury write it",
         table("554782,583.81-", "582786,-583.81", "500011,5-"), good(-583.81, -583.81, -5.0)),
    Case("minus_on_both_sides", GROUP, "a minus before and behind", table("554782,1", "582786,-583.81-"), one_bad("not a number")),
    Case("unicode_minus", GROUP, "the typographic minus U+2212", table("554782,\u22125.5", "582786,2"), good(-5.5, 2.0)),
    Case("en_dash_minus", GROUP, "an en dash for a minus: a dash also stands for “nothing”", table("554782,1", "582786,\u20135"),
             one_bad("not a number")),
    Case("accounting_minus", GROUP, "brackets for a negative number", table("554782,1", "582786,(583.81)"), one_bad("not a number")),
    Case("exponent", GROUP, "exponents, with and without sign", table("554782,1.5e3", "582786,2E-2", "500011,-1e+1"), good(1500.0, 0.02,
             -10.0)),
    Case("exponent_integer", GROUP, "an exponent in a whole number (a spreadsheet's 1E+05)", table("554782,1E+05", "582786,12"),
             good(100000.0, 12.0),
         columns=INTEGERS),
    Case("nan", GROUP, "NaN", table("554782,1", "582786,NaN"), one_bad("not a number")),
    Case("infinity", GROUP, "Infinity", table("554782,1", "582786,Infinity"), one_bad("not a number")),
    Case("minus_inf", GROUP, "-inf", table("554782,1", "582786,-inf"), one_bad("not a number")),
    Case("overflowing", GROUP, "`1e400`, beyond any floating-point number", table("554782,1", "582786,1e400"), one_bad("too large")),
    Case("underflowing", GROUP, "`1e-400`, closer to 0 than any floating-point number: it is 0", table("554782,1e-400", "582786,2"),
             good(0.0, 2.0)),
    Case("forty_digits", GROUP, "a number of forty digits keeps its size, not its last digits", table("554782," + "9" * 40, "582786,2"),
             good(1e40, 2.0)),
    Case("integer_beyond_64_bits", GROUP, "a whole number beyond 64 bits", table("554782,1", "582786," + "9" * 40), one_bad("too large"),
             columns=INTEGERS),
    Case("integer_beyond_floats", GROUP, "a whole number that a floating-point number cannot hold exactly, with a zero fraction",
         table("554782,1", "582786,9007199254740993.0"), good(1.0, 9007199254740993.0), columns=INTEGERS),
    Case("fraction_in_integer", GROUP, "a fraction where a whole number is expected", table("554782,1", "582786,1.5"),
             one_bad("not a whole number"), columns=INTEGERS),
    Case("hexadecimal", GROUP, "a hexadecimal number", table("554782,1", "582786,0x1F"), one_bad("not a number")),
    Case("underscores", GROUP, "underscores between digits, which programs read and offices do not mean",
         table("554782,1", "582786,1_000"), one_bad("not a number")),
    Case("arabic_digits", GROUP, "digits of another script", table("554782,1", "582786,\u0661\u0662"), one_bad("not a number")),
    Case("fullwidth_digits", GROUP, "full-width digits", table("554782,1", "582786,\uff11\uff12"), one_bad("not a number")),
    Case("superscript", GROUP, "a footnote mark glued to the number", table("554782,1", "582786,12\u00b2"), one_bad("not a number")),
    Case("vulgar_fraction", GROUP, "`½`", table("554782,1", "582786,\u00bd"), one_bad("not a number")),
    Case("percent_sign", GROUP, "a percent sign in the cell: 12 or 0.12?", table("554782,1", "582786,12 %"), one_bad("not a number")),
    Case("currency", GROUP, "a currency in the cell", table("554782,1", '582786,"12 Kč"'), one_bad("not a number")),
    Case("boolean_for_number", GROUP, "a truth value where a number is expected", table("554782,1", "582786,true"), one_bad("not a number")),
    Case("plus_sign", GROUP, "a plus before the number", table("554782,+5", "582786,+0.5"), good(5.0, 0.5)),
    Case("lone_signs", GROUP, "signs and marks without a digit: a minus, a dot, an exponent",
         table("554782,1", "582786,-", "500011,.", "001234,e5"),
         Outcome(((PRAHA, 1.0),), (Bad(3, "value", "not a number"), Bad(4, "value", "not a number"), Bad(5, "value", "not a number")))),
    Case("declared_na", GROUP, "declared words for “nothing” are a missing value, no fault", table("554782,-", "582786,x", "500011,3"),
         Outcome(((PRAHA, None), (BRNO, None), (ZELECHOVICE, 3.0))), read='{format: csv, na: ["", "-", "x"]}'),
    Case("undeclared_na", GROUP, "undeclared words for “nothing”", table("554782,1", "582786,n/a", "500011,..."),
         Outcome(((PRAHA, 1.0),), (Bad(3, "value", "not a number"), Bad(4, "value", "not a number")))),
    Case("codes_as_floats", GROUP, "codes that a spreadsheet made numbers of (`554782.0`) are not guessed at in text",
         table("554782.0,1", "582786,2"), Outcome(((BRNO, 2.0),), (Bad(2, None, "code 554782.0 of scheme cz: unknown"),))),
    Case("codes_as_floats_mended", GROUP, "the same, mended by the pack with a pattern of its own",
         table("554782.0,1", "582786,2"), good(1.0, 2.0), area="{scheme: cz, code: \"regexp_replace(code, '[.]0$', '')\"}"),
    Case("leading_zeros_lost", GROUP, "a code whose leading zeros a spreadsheet dropped: unknown, not guessed",
         table("1234,1", "554782,2"), Outcome(((PRAHA, 2.0),), (Bad(2, None, "code 1234 of scheme cz: unknown"),))),
    Case("leading_zeros_restored", GROUP, "the same, restored by the pack with lpad", table("1234,1", "554782,2"),
         Outcome((("CZ_001234", 1.0), (PRAHA, 2.0))), area="{scheme: cz, code: \"lpad(code, 6, '0')\"}"),
    Case("code_as_exponent", GROUP, "a code that a spreadsheet turned into `5.5E+05`", table("5.5E+05,1", "554782,2"),
         Outcome(((PRAHA, 2.0),), (Bad(2, None, "code 5.5E+05 of scheme cz: unknown"),))),
    Case("out_of_range", GROUP, "values outside the declared range: below zero, above a hundred",
         table("554782,1", "582786,-1", "500011,101"),
         Outcome(((PRAHA, 1.0),), (Bad(3, "value", "below the minimum of 0"), Bad(4, "value", "above the maximum of 100"))),
         columns="{code: {required: true}, value: {type: number, min: 0, max: 100}}"),
    Case("negative_zero", GROUP, "a negative zero is a zero", table("554782,-0.0", "582786,2"), good(0.0, 2.0)),
    Case("division_by_zero", GROUP, "an expression of the pack that divides by a zero in the file: no value, no infinity",
         table("554782,0", "582786,2"), Outcome(((BRNO, 0.5),), (Bad(2, "division_by_zero", "not a finite number"),)), value="1 / value"),
    Case("result_overflows", GROUP, "an expression of the pack whose result is beyond any number",
         table("554782,1e300", "582786,2"), Outcome(((BRNO, 4.0),), (Bad(2, "result_overflows", "not a finite number"),)),
         value="value * value"),
    Case("json_numbers", GROUP, "numbers in JSON with exponents, 25 digits and as text: each is read as it was written",
         b'[{"code": "554782", "value": 1E3}, {"code": "582786", "value": 1234567890123456789012345}, {"code": "500011", "value": "2.5"}]',
         good(1000.0, 1234567890123456789012345.0, 2.5), name="numbers.json", read="{format: json}"),
    Case("json_nan", GROUP, "NaN and Infinity in JSON, which JSON does not have",
         b'[{"code": "554782", "value": 1}, {"code": "582786", "value": NaN}, {"code": "500011", "value": -Infinity}]',
         Outcome(((PRAHA, 1.0),), (Bad(2, "value", "not a number"), Bad(3, "value", "not a number"))),
         name="nan.json", read="{format: json}"),
]  # fmt: skip
