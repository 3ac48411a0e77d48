import type { PageProps } from "../main";

/** The page of places when none is chosen: a search, and all areas by region. */
export function PlaceList({ meta }: PageProps) {
  return <h1>{meta.title}</h1>;
}
