import type { PageProps } from "../main";

export function Data({ meta }: PageProps) {
  return <h1>{meta.title}</h1>;
}
