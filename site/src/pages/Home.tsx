import type { PageProps } from "../main";

export function Home({ meta }: PageProps) {
  return <h1>{meta.title}</h1>;
}
