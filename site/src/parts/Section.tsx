import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  /** What stands at the right of the heading: a year, a unit, a code. */
  aside?: ComponentChildren;
  id?: string;
  class?: string;
  children: ComponentChildren;
}

/** A section of a page: a rule, its heading, and what belongs to it. */
export function Section({ title, aside, id, class: name, children }: Props) {
  return (
    <section id={id} class={name}>
      <div class="section-head">
        <h2>{title}</h2>
        {aside ? <span class="aside">{aside}</span> : null}
      </div>
      {children}
    </section>
  );
}
