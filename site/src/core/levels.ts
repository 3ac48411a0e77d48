// Names of levels in the plural and with numbers, as texts of the interface; where there are none, the title of the level in the pack.
import type { Level, Meta } from "./data";
import { hasText, t } from "./texts";

type Named = Pick<Level, "level" | "title">;

/** "districts", "municipalities". */
export const levelName = ({ level, title }: Named): string => (hasText(`level.${level}`) ? t(`level.${level}`) : title);

/** "77 districts". */
export const levelCount = ({ level, title }: Named, n: number): string => (hasText(`level.${level}.n`) ? t(`level.${level}.n`, { n }) : t("level.n", { title, n }));

/** What an abbreviation in the name of a level stands for; empty where it needs no words. */
export const levelNote = ({ level }: Named): string => (hasText(`level.${level}.note`) ? t(`level.${level}.note`) : "");

/** A title inside a sentence: without its capital letter, unless it begins with an abbreviation. */
export const uncapital = (text: string): string => (/^\p{Lu}\p{Ll}/u.test(text) ? text.charAt(0).toLocaleLowerCase() + text.slice(1) : text);

/** A text at the beginning of a heading. */
export const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);

/** The finest level and those above it in which areas are compared: others stand beside this line, such as areas of an office. */
export function mainLevels(meta: Meta): string[] {
  const found: string[] = [];
  for (let next: string | null = meta.levels[0]?.level ?? null; next !== null && !found.includes(next); ) {
    found.push(next);
    next = meta.levels.find(({ level }) => level === next)?.above ?? null;
  }
  return found;
}

/** The level below the country that a short list of links holds, such as regions. Null if there is none. */
export const regions = (meta: Meta): Level | null => meta.levels.filter(({ count }) => count > 1 && count <= 40).at(-1) ?? null;
