// Periods as points in time, for axes of time.

/** The beginning of a period in years: "2023", "2023-Q2", "2023-06", "2023-06-01". */
export function time(period: string): number {
  const [, year, quarter, month, day] = /^(\d{4})(?:-Q(\d)|-(\d{2})(?:-(\d{2}))?)?/.exec(period) ?? [];
  return Number(year ?? 0) + (quarter ? (Number(quarter) - 1) / 4 : month ? (Number(month) - 1) / 12 + (day ? (Number(day) - 1) / 365.25 : 0) : 0);
}
