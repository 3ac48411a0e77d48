import { t } from "../core/texts";

const OPEN = ["E", "I"];

/** How a value with a status looks in charts: its mark, its interval, the line to it; or that there is none. */
export function StatusDrawing({ code, hasValue }: { code: string; hasValue: boolean }) {
  if (!hasValue) {
    return (
      <span class="status-drawing" role="img" aria-label={t("data.drawn_missing")}>
        <i class="swatch fill-missing" />
        <b>–</b>
      </span>
    );
  }
  const label = code === "B" ? "data.drawn_break" : code === "P" ? "data.drawn_provisional" : OPEN.includes(code) ? "data.drawn_open" : "data.drawn_normal";
  return (
    <svg class="status-drawing" role="img" aria-label={t(label)} width="72" height="24" viewBox="0 0 72 24">
      {code === "B" ? (
        <>
          <path class="drawn-line" d="M4 15L22 11M48 8L66 6" />
          <path class="drawn-break" d="M35 2V22" />
          <circle class="drawn-mark" cx="22" cy="11" r="3.5" />
          <circle class="drawn-mark" cx="48" cy="8" r="3.5" />
        </>
      ) : code === "P" ? (
        <>
          <path class="drawn-line" d="M4 16L36 12" />
          <path class="drawn-line dashed" d="M36 12L56 8" />
          <circle class="drawn-mark" cx="36" cy="12" r="3.5" />
          <circle class="drawn-mark open" cx="60" cy="7" r="3.5" />
        </>
      ) : (
        <>
          <path class={OPEN.includes(code) ? "drawn-line dashed" : "drawn-line"} d="M14 12H58" />
          <circle class={OPEN.includes(code) ? "drawn-mark open" : "drawn-mark"} cx="36" cy="12" r="4.5" />
        </>
      )}
    </svg>
  );
}
