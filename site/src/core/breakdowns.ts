// The breakdowns of values by sex and age.

interface Breakdown {
  sex: string;
  age: string;
}

const TOTAL = "_T";

/** The breakdown of a sex in all ages. */
export const ofSex = <T extends Breakdown>(breakdowns: T[], code: string): T | undefined => breakdowns.find(({ sex, age }) => sex === code && age === TOTAL);

/** The total among the breakdowns; else the first of them. */
export const totalOf = <T extends Breakdown>(breakdowns: T[]): T | undefined => ofSex(breakdowns, TOTAL) ?? breakdowns[0];
