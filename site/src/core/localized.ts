import type { Localized } from "./data";
import { language } from "./texts";

/** The text in the language of the page; else in English or the first one that there is. */
export const localized = (texts: Localized | undefined): string => texts?.[language()] ?? texts?.["en"] ?? Object.values(texts ?? {})[0] ?? "";
