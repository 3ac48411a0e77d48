import type { PageProps } from "../main";

export function Cohesion({ meta }: PageProps) {
  return <h1>{meta.title}</h1>;
}
