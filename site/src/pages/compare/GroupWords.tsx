import { type Comparison, type GroupRow, hasGroup } from "../../core/comparison";
import type { IndicatorMeta } from "../../core/data";
import { list, number, period, valueText } from "../../core/format";
import { t } from "../../core/texts";
import { DataTable } from "../../parts/DataTable";

/** At most as many summands are written out. */
const WRITTEN_OUT = 6;

/** A numerator or a denominator: whole if it is, else with as few decimals as it needs, at most two. */
const amount = (value: number): string => number(value, [0, 1].find((decimals) => Math.abs(value * 10 ** decimals - Math.round(value * 10 ** decimals)) < 1e-6) ?? 2);

const plain = (indicator: IndicatorMeta): boolean => indicator.group?.multiplier === 1 || (indicator.group?.multiplier === 100 && indicator.unit === "%");
const times = (indicator: IndicatorMeta): string => (plain(indicator) ? "" : `${amount(indicator.group?.multiplier ?? 1)} × `);

/** How the value of the group follows from those of its members: "(35 + 41) / (115 + 126) = 76 / 241 = 31,5 %". */
export function formula(indicator: IndicatorMeta, group: GroupRow): string {
  const { members, numerator, denominator, value } = group;
  const written = members.length > 1 && members.length <= WRITTEN_OUT;
  const sum = (parts: number[]) => `(${parts.map(amount).join(" + ")})`;
  const over = (top: string, bottom: string | null) => `${times(indicator)}${bottom === null ? top : `${top} / ${bottom}`}`;
  const steps = [
    ...(written ? [over(sum(members.map((member) => member.numerator!)), denominator === null ? null : sum(members.map((member) => member.denominator!)))] : []),
    over(amount(numerator), denominator === null ? null : amount(denominator)),
  ];
  const result = valueText(value, indicator);
  return [...new Set([...steps, result])].join(" = ");
}

/** In a sentence: why the group is no average, with the numbers of the first indicator that is a ratio. */
export function GroupExample({ comparisons }: { comparisons: Comparison[] }) {
  const example = comparisons.find(({ indicator, group }) => indicator.group?.kind === "ratio" && hasGroup(group));
  if (!example || !hasGroup(example.group)) return null;
  const { indicator, group, period: when } = example;
  return <p class="small">{t("compare.group_example", { title: indicator.title, period: period(when), formula: formula(indicator, group) })}</p>;
}

/** The sums of all indicators, and why some have none. */
export function GroupTable({ comparisons }: { comparisons: Comparison[] }) {
  const columns = [
    { title: t("compare.indicator") },
    { title: t("compare.period") },
    { title: t("compare.numerator"), numeric: true },
    { title: t("compare.denominator"), numeric: true },
    { title: t("compare.multiplier"), numeric: true },
    { title: t("compare.value"), numeric: true },
  ];
  return (
    <DataTable
      label={t("compare.group_table")}
      columns={columns}
      rows={comparisons.map(({ indicator, period: when, group }) => [
        indicator.title,
        period(when),
        ...(hasGroup(group)
          ? [
              <span data-indicator={indicator.indicator} data-area="group" data-part="numerator" data-number={group.numerator}>
                {amount(group.numerator)}
              </span>,
              group.denominator === null ? (
                "–"
              ) : (
                <span data-indicator={indicator.indicator} data-area="group" data-part="denominator" data-number={group.denominator}>
                  {amount(group.denominator)}
                </span>
              ),
              amount(indicator.group?.multiplier ?? 1),
              valueText(group.value, indicator),
            ]
          : ["–", "–", "–", <span class="reason">{whyNone(group)}</span>]),
      ])}
    />
  );
}

/** Why the group has no value. */
export function whyNone(group: Comparison["group"]): string {
  if (!group || hasGroup(group)) return "";
  if (group.reason !== "members") return t(`compare.no_group_${group.reason}`);
  const { names } = group;
  const shown = names.length > WRITTEN_OUT ? [...names.slice(0, WRITTEN_OUT - 1), t("compare.more_members", { n: names.length - WRITTEN_OUT + 1 })] : names;
  return t("compare.no_group_members", { names: list(shown) });
}
