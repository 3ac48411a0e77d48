import type { ComponentChildren } from "preact";
import type { Localized, Meta } from "../core/data";
import { number } from "../core/format";
import { type Formula } from "../core/formula";
import { localized } from "../core/localized";
import { hasText, t } from "../core/texts";

/** A formula as a fraction: names of inputs in plain letters, what is chosen of them in words. */
export function FormulaLine({ formula, inputs, meta }: { formula: Formula; inputs: Record<string, Localized>; meta: Meta }) {
  const { multiplier, numerator, denominator, rules } = formula;
  const words = rules.map((rule) => ruleText(rule, meta));
  return (
    <p class="formula">
      <span class="unseen">{t("indicator.formula")} </span>
      {denominator === null ? (
        <span>
          <Expression text={numerator} inputs={inputs} meta={meta} />
        </span>
      ) : (
        <span class="fraction">
          <span>
            <Expression text={numerator} inputs={inputs} meta={meta} />
          </span>
          <span class="unseen"> {t("indicator.divided_by")} </span>
          <span>
            <Expression text={denominator} inputs={inputs} meta={meta} />
          </span>
        </span>
      )}
      {multiplier !== null && multiplier !== 1 ? <span>× {number(multiplier, Number.isInteger(multiplier) ? 0 : 2)}</span> : null}
      {words.length > 0 ? <span class="small">{words.join("; ")}</span> : null}
    </p>
  );
}

/** Measures have the names that the pack gives them; one without a name is shown as its identifier. */
function Expression({ text, inputs, meta }: { text: string; inputs: Record<string, Localized>; meta: Meta }) {
  const parts: ComponentChildren[] = [];
  let key = 0;
  for (const [part] of text.replaceAll("+ -1 * ", "− ").matchAll(/\[[^\]]*\]|[A-Za-z_][A-Za-z0-9_]*|[^[A-Za-z_]+/g)) {
    key += 1;
    if (part.startsWith("[")) parts.push(` (${qualifier(part.slice(1, -1), meta)})`);
    else if (inputs[part]) parts.push(localized(inputs[part]));
    else if (/^[A-Za-z_]/.test(part)) parts.push(<i key={key} lang="en">{part.replaceAll("_", " ")}</i>);
    else parts.push(part.replaceAll("*", "×"));
  }
  return <>{parts}</>;
}

/** Ages as codes of SDMX: their keys, and the numbers in them. */
const AGES: [RegExp, string][] = [
  [/^age Y_GE(\d+)$/, "indicator.age_from"],
  [/^age Y_LT(\d+)$/, "indicator.age_under"],
  [/^age Y(\d+)T(\d+)$/, "indicator.age_between"],
  [/^age Y(\d+)$/, "indicator.age_of"],
  [/^age _T$/, "indicator.age_all"],
];

const qualifier = (text: string, meta: Meta): string => text.split(", ").map((part) => qualifierPart(part, meta)).join(", ");

function qualifierPart(text: string, meta: Meta): string {
  const sex = /^sex (\w+)$/.exec(text)?.[1];
  if (sex) return meta.sexes[sex] ?? text;
  for (const [pattern, key] of AGES) {
    const match = pattern.exec(text);
    if (match) return t(key, { from: match[1] ?? "", to: match[2] ?? "" });
  }
  const years = /^(\d+) years? before$/.exec(text)?.[1];
  return years ? t("indicator.years_before", { n: Number(years) }) : text;
}

const RULES: [RegExp, string][] = [
  [/^missing is zero$/, "indicator.rule.missing_is_zero"],
  [/^percent change over (\d+) years?$/, "indicator.rule.percent_change"],
  [/^difference change over (\d+) years?$/, "indicator.rule.difference"],
  [/^log_ratio change over (\d+) years?$/, "indicator.rule.log_ratio"],
  [/^sum over (\d+) years?, at least (\d+)$/, "indicator.rule.sum"],
  [/^less that of the area of level (\w+)$/, "indicator.rule.less"],
];

/** A rule of a formula in words; an unknown one as it is. */
function ruleText(rule: string, meta: Meta): string {
  for (const [pattern, key] of RULES) {
    const match = pattern.exec(rule);
    if (!match || !hasText(key)) continue;
    const level = meta.levels.find((entry) => entry.level === match[1]);
    return t(key, { n: Number(match[1]) || 0, least: Number(match[2]) || 0, level: level?.title ?? match[1] ?? "" });
  }
  return rule;
}
