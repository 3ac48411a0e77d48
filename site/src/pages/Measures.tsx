import type { PageProps } from "../main";

export function Measures({ meta }: PageProps) {
  return <h1>{meta.title}</h1>;
}
