import { t } from "../core/texts";

/** A dot an indicator: full for those with data, open for those without. The numbers follow for screen readers. */
export function Dots({ full, all }: { full: number; all: number }) {
  return (
    <span class="dots">
      <span aria-hidden="true">
        {Array.from({ length: all }, (_, position) => (
          <i key={position} class={position < full ? "full" : undefined} />
        ))}
      </span>
      <span class="unseen">{t("measures.with_data", { n: all, full })}</span>
    </span>
  );
}
