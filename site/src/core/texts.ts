// The texts of the interface in the language of the page.
import type { ComponentChildren, VNode } from "preact";
import { load } from "./data";

type Plural = Record<string, string>;
type Texts = Record<string, string | Plural>;
export type Values = Record<string, string | number>;

let texts: Texts = {};
let plural = new Intl.PluralRules("en");
let count = new Intl.NumberFormat("en");

/** The language of the page, from its `lang` attribute. */
export const language = (): string => document.documentElement.lang || "en";

export async function loadTexts(): Promise<void> {
  texts = await load<Texts>(`site/data/texts.${language()}.json`);
  if (!hasText("common.loading")) throw new Error("no texts");
  plural = new Intl.PluralRules(language());
  count = new Intl.NumberFormat(language());
}

/** Whether there is a text with this key. */
export const hasText = (key: string): boolean => key in texts;

/** The text of a key with `{name}` replaced. Where the text depends on a number, `n` chooses its form. Numbers are formatted. */
export function t(key: string, values: Values = {}): string {
  return template(key, values).replace(/\{(\w+)\}/g, (whole, name: string) => shown(values[name]) ?? whole);
}

/** Like `t`, for texts that hold elements: the values may be elements, such as a link or a bold number. */
export function rich(key: string, values: Record<string, string | number | VNode>): ComponentChildren {
  return template(key, values).split(/\{(\w+)\}/).map((part, position) => {
    if (position % 2 === 0) return part;
    const value = values[part];
    return typeof value === "object" ? value : (shown(value) ?? `{${part}}`);
  });
}

function template(key: string, values: Record<string, unknown>): string {
  const text = texts[key];
  if (text === undefined) {
    console.error(`no text ${key} in ${language()}`);
    return key;
  }
  if (typeof text === "string") return text;
  return text[plural.select(Number(values["n"] ?? 0))] ?? text["other"] ?? key;
}

const shown = (value: string | number | undefined): string | undefined =>
  typeof value === "number" ? count.format(value).replace("-", "−") : value;
