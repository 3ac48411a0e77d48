import { useQuery } from "../core/state";
import type { PageProps } from "../main";
import { PlaceList } from "./PlaceList";

/** `place.html?area=CODE`: what is known about one area. */
export function PlacePage(props: PageProps) {
  const [query] = useQuery();
  if (!query["area"]) return <PlaceList {...props} />;
  return <h1>{query["area"]}</h1>;
}
