import { useState } from "preact/hooks";
import { t } from "../core/texts";
import { EmbedCode } from "./ChartActions";

/** Copies the address of the view, which has its whole state, and shows the code that embeds it. */
export function Share({ title }: { title: string }) {
  const [message, setMessage] = useState("");
  const [embedding, setEmbedding] = useState(false);
  const show = () => setMessage(location.href);
  const copy = () => {
    if (!navigator.clipboard) return show();
    navigator.clipboard.writeText(location.href).then(() => setMessage(t("compare.copied")), show);
  };
  return (
    <>
      <button type="button" class="button" onClick={copy}>
        {t("compare.copy")}
      </button>
      <button type="button" class="button" aria-expanded={embedding} onClick={() => setEmbedding(!embedding)}>
        {t("compare.embed")}
      </button>
      <span role="status" class="small share-said">
        {message}
      </span>
      {embedding ? (
        <div class="share-code">
          <EmbedCode title={title} />
        </div>
      ) : null}
    </>
  );
}
