// Names of levels in the plural and with numbers, as texts of the interface; where there are none, the title of the level in the pack.
import type { Level } from "./data";
import { hasText, t } from "./texts";

type Named = Pick<Level, "level" | "title">;

/** "districts", "municipalities". */
export const levelName = ({ level, title }: Named): string => (hasText(`level.${level}`) ? t(`level.${level}`) : title);

/** "77 districts". */
export const levelCount = ({ level, title }: Named, n: number): string => (hasText(`level.${level}.n`) ? t(`level.${level}.n`, { n }) : t("level.n", { title, n }));

/** A text at the beginning of a heading. */
export const capital = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1);
