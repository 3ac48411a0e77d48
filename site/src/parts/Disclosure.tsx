import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface Props {
  summary: ComponentChildren;
  open?: boolean;
  /** What is shown once it is opened; not made before. */
  children: () => ComponentChildren;
}

/** A part of a page that the reader opens. */
export function Disclosure({ summary, open = false, children }: Props) {
  const [seen, setSeen] = useState(open);
  return (
    <details open={open} onToggle={(event) => event.currentTarget.open && setSeen(true)}>
      <summary>{summary}</summary>
      {seen ? children() : null}
    </details>
  );
}
