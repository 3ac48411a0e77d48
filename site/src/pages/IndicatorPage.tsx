import { useQuery } from "../core/state";
import type { PageProps } from "../main";
import { IndicatorList } from "./IndicatorList";

/** `indicator.html?indicator=ID&level=LEVEL&area=CODE`: one indicator in all areas. */
export function IndicatorPage(props: PageProps) {
  const [query] = useQuery();
  if (!query["indicator"]) return <IndicatorList {...props} />;
  return <h1>{query["indicator"]}</h1>;
}
