import { useState } from "preact/hooks";
import { t } from "../core/texts";

/** Copies the address of the view, which has its whole state. */
export function Share() {
  const [said, setSaid] = useState("");
  const copy = () =>
    navigator.clipboard
      ?.writeText(location.href)
      .then(() => setSaid(t("compare.copied")))
      .catch(() => setSaid(location.href)) ?? setSaid(location.href);
  return (
    <>
      <button type="button" class="button" onClick={copy}>
        {t("compare.copy")}
      </button>
      <span role="status" class="small share-said">
        {said}
      </span>
    </>
  );
}
