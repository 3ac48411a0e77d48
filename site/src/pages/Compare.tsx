import type { PageProps } from "../main";

export function Compare({ meta }: PageProps) {
  return <h1>{meta.title}</h1>;
}
