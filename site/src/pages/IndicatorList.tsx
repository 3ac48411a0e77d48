import type { PageProps } from "../main";

/** The page of indicators when none is chosen: all of them by objective and topic. */
export function IndicatorList({ meta }: PageProps) {
  return <h1>{meta.title}</h1>;
}
