import type { Value } from "../core/data";
import * as format from "../core/format";

interface Props {
  indicator: { indicator: string; unit: string; decimals: number | null };
  /** The code of the area. */
  area: string;
  period: string;
  status: string;
  value: Value;
}

/** A value in a sentence, with what it is the value of. */
export function ShownValue({ indicator, area, period, status, value }: Props) {
  return (
    <span class="no-wrap" data-indicator={indicator.indicator} data-area={area} data-period={period} data-status={status}>
      {format.withUnit(format.number(value, indicator.decimals), indicator.unit)}
    </span>
  );
}
