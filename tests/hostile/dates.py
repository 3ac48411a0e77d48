"""Cases of dates and times that do not exist, exist twice, or mean something else than they say."""

from __future__ import annotations

from tests.hostile.case import BRNO, PRAHA, ZELECHOVICE, Bad, Case, Outcome, table

GROUP = "Dates and times"
HEADER = "code,day,value"
DATES = "{code: {required: true}, day: {type: date, required: true}, value: {type: number}}"
TIMES = "{code: {required: true}, day: {type: datetime, required: true}, value: {type: number}}"
TEXTS = "{code: {required: true}, day: {required: true}, value: {type: number}}"
DAY, TEXT = "\"strftime(day, '%Y-%m-%d')\"", "day"
NO_DATE, NO_TIME = "day: not a date", "day: not a datetime"


def dated(*days: str) -> bytes:
    return table(
        *(f"{code},{day},{i}" for i, (code, day) in enumerate(zip(("554782", "582786", "500011"), days, strict=False), 1)), header=HEADER
    )


def rows(*days: str) -> tuple[tuple[object, ...], ...]:
    return tuple((area, float(i), day) for i, (area, day) in enumerate(zip((PRAHA, BRNO, ZELECHOVICE), days, strict=False), 1))


def second_bad(good: str, reason: str) -> Outcome:
    return Outcome(rows(good), (Bad(3, None, reason),))


CASES = [
    Case("year_1900", GROUP, "1 January 1900, a spreadsheet's first day: a date like any other", dated("1900-01-01", "2021-05-01"),
         Outcome(rows("1900-01-01", "2021-05-01")), columns=DATES, period=DAY),
    Case("year_1900_bounded", GROUP, "the same where the pack says since when there can be data", dated("2021-05-01", "1900-01-01"),
         second_bad("2021-05-01", "day: below the minimum of 1990-01-01"),
         columns="{code: {required: true}, day: {type: date, required: true, min: 1990-01-01}, value: {type: number}}", period=DAY),
    Case("year_9999", GROUP, "31 December 9999, a database's “never”", dated("9999-12-31", "2021-05-01"), Outcome(rows("9999-12-31",
             "2021-05-01")),
         columns=DATES, period=DAY),
    Case("year_10000", GROUP, "a day after the last one", dated("2021-05-01", "10000-01-01"), second_bad("2021-05-01", NO_DATE),
             columns=DATES, period=DAY),
    Case("year_zero", GROUP, "the year 0, and a database's 0000-00-00", dated("2021-05-01", "0000-01-01", "0000-00-00"),
         Outcome(rows("2021-05-01"), (Bad(3, None, NO_DATE), Bad(4, None, NO_DATE))), columns=DATES, period=DAY),
    Case("leap_day", GROUP, "29 February of a leap year, and of 2000", dated("2024-02-29", "29.2.2000"), Outcome(rows("2024-02-29",
             "2000-02-29")),
         columns=DATES, period=DAY),
    Case("no_leap_day", GROUP, "29 February of 2023, and of 1900", dated("2024-02-29", "2023-02-29", "29.02.1900"),
         Outcome(rows("2024-02-29"), (Bad(3, None, NO_DATE), Bad(4, None, NO_DATE))), columns=DATES, period=DAY),
    Case("april_31", GROUP, "31 April", dated("2021-04-30", "2021-04-31"), second_bad("2021-04-30", NO_DATE), columns=DATES, period=DAY),
    Case("month_13", GROUP, "month 13: day and month turned round", dated("2021-04-30", "2021-13-04"), second_bad("2021-04-30", NO_DATE),
             columns=DATES, period=DAY),
    Case("two_digit_year", GROUP, "a year of two digits: 1925 or 2025? Neither", dated("2021-04-30", "01.05.25"), second_bad("2021-04-30",
             NO_DATE),
         columns=DATES, period=DAY),
    Case("slashes", GROUP, "slashes: day first or month first?", dated("2021-04-30", "04/05/2021"), second_bad("2021-04-30", NO_DATE),
             columns=DATES, period=DAY),
    Case("dots_and_blanks", GROUP, "dates with dots, with and without blanks and zeros", dated("1.5.2021", "01. 05. 2021", "1. 12.2021"),
         Outcome(rows("2021-05-01", "2021-05-01", "2021-12-01")), columns=DATES, period=DAY),
    Case("serial_number", GROUP, "a spreadsheet's serial number of a day", dated("2021-04-30", "44317"), second_bad("2021-04-30", NO_DATE),
             columns=DATES, period=DAY),
    Case("date_with_midnight", GROUP, "a date with a midnight that some program added", dated("2021-04-30 00:00:00",
             "2021-05-01T00:00:00.000"),
         Outcome(rows("2021-04-30", "2021-05-01")), columns=DATES, period=DAY),
    Case("date_with_time", GROUP, "a date with a time that is not midnight: not cut off silently", dated("2021-04-30",
             "2021-05-01T13:30:00"),
         second_bad("2021-04-30", NO_DATE), columns=DATES, period=DAY),
    Case("dst_gap", GROUP,
             "02:30 on the night when clocks go forward, and twice on the night when they go back: the written clock time stands",
         dated("2021-03-28T02:30:00", "2021-10-31T02:30:00+02:00", "2021-10-31T02:30:00+01:00"),
         Outcome(rows("2021-03-28", "2021-10-31", "2021-10-31")), columns=TIMES, period=DAY),
    Case("offset_over_midnight", GROUP, "a time in UTC whose local day is another: the written day stands", dated("2021-12-31T23:30:00Z",
             "2021-05-01T00:00:00-12:00"),
         Outcome(rows("2021-12-31", "2021-05-01")), columns=TIMES, period=DAY),
    Case("hour_25", GROUP, "hour 25, minute 61", dated("2021-04-30T12:00", "2021-04-30T25:00", "2021-04-30T12:61"),
         Outcome(rows("2021-04-30"), (Bad(3, None, NO_TIME), Bad(4, None, NO_TIME))), columns=TIMES, period=DAY),
    Case("hour_24", GROUP, "24:00, the end of a day to some and no time to others", dated("2021-04-30T12:00", "2021-04-30T24:00:00"),
         second_bad("2021-04-30", NO_TIME), columns=TIMES, period=DAY),
    Case("leap_second", GROUP, "a leap second", dated("2016-12-31T23:59:59", "2016-12-31T23:59:60"), second_bad("2016-12-31", NO_TIME),
             columns=TIMES, period=DAY),
    Case("unix_time", GROUP, "seconds since 1970", dated("2021-04-30T12:00", "1619784000"), second_bad("2021-04-30", NO_TIME),
             columns=TIMES, period=DAY),
    Case("nanoseconds", GROUP, "more digits of a second than a timestamp holds, and a decimal comma in one",
             dated("2021-04-30T12:00:00.123456789", '"2021-05-01T12:00:00,5"'),
         second_bad("2021-04-30", NO_TIME), columns=TIMES, period=DAY),
    Case("month_names", GROUP, "a month by its name, in a language", dated("2021-04-30", "1. května 2021"), second_bad("2021-04-30",
             NO_DATE), columns=DATES, period=DAY),
    Case("periods", GROUP, "periods of every kind in one column", dated("2021", "2021-Q3", "2021-07"), Outcome(rows("2021", "2021-Q3",
             "2021-07")),
         columns=TEXTS, period=TEXT),
    Case("periods_broken", GROUP, "quarters and months that do not exist", dated("2021", "2021-Q5", "2021-13"),
         Outcome(rows("2021"), (Bad(3, None, "period 2021-Q5: not a year, quarter, month or date"), Bad(4, None,
         "period 2021-13: not a year"))),
         columns=TEXTS, period=TEXT),
    Case("period_range", GROUP, "a school year, and a year as a decimal number", dated("2021", "2021/22", "2021.0"),
         Outcome(rows("2021"), (Bad(3, None, "period 2021/22: not a year"), Bad(4, None, "period 2021.0: not a year"))), columns=TEXTS,
         period=TEXT),
    Case("period_leap_day", GROUP, "a day that its year does not have, as a period", dated("2021", "2021-02-29"), second_bad("2021",
             "period 2021-02-29: not a year"),
         columns=TEXTS, period=TEXT),
]  # fmt: skip
