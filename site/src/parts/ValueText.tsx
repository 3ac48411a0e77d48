import type { IndicatorMeta, Value } from "../core/data";
import { valueText } from "../core/format";

interface Props {
  indicator: IndicatorMeta;
  period: string;
  status: string;
  value: Value;
  /** Of women or men; the total without. */
  sex?: string;
  lower?: Value;
  upper?: Value;
}

/** A value as text, with its period and status for programs. The element around it says of which area it is. */
export function ValueText({ indicator, period, status, value, sex, lower, upper }: Props) {
  return (
    <span
      class="no-wrap"
      data-indicator={indicator.indicator}
      data-period={period}
      data-status={status}
      data-sex={sex}
      data-lower={lower ?? undefined}
      data-upper={upper ?? undefined}
    >
      {valueText(value, indicator)}
    </span>
  );
}
