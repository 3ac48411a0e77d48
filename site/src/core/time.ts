// Periods as points in time, for axes of time.

/** The beginning of a period in years: "2023", "2023-Q2", "2023-06", "2023-06-01". */
export function time(period: string): number {
  const [, year, quarter, month, day] = /^(\d{4})(?:-Q(\d)|-(\d{2})(?:-(\d{2}))?)?/.exec(period) ?? [];
  return Number(year ?? 0) + (quarter ? (Number(quarter) - 1) / 4 : month ? (Number(month) - 1) / 12 + (day ? (Number(day) - 1) / 365.25 : 0) : 0);
}

/** A step to the next period that is longer than the usual one by this factor leaves periods out. */
const LONGER = 1.5;

/** Positions of rising periods before which others are missing: the step to them is longer than the usual one, the lower median of all steps. */
export function gaps(periods: string[]): number[] {
  const times = periods.map(time);
  const steps = times.slice(1).map((later, at) => later - times[at]!);
  const usual = [...steps].sort((a, b) => a - b)[(steps.length - 1) >> 1] ?? 0;
  return steps.flatMap((step, at) => (step > LONGER * usual ? [at + 1] : []));
}

/** Runs of positions that may be joined: neighbours with values, with none of `cuts` between them; a cut is the position after it. */
export function runs(values: (number | null | undefined)[], cuts: number[]): number[][] {
  const runs: number[][] = [];
  values.forEach((value, at) => {
    if (value === null || value === undefined) return;
    const last = runs.at(-1);
    if (last && last.at(-1) === at - 1 && !cuts.includes(at)) last.push(at);
    else runs.push([at]);
  });
  return runs;
}
