import { useState } from "preact/hooks";
import type { Shapes } from "../core/geometry";
import { t } from "../core/texts";
import { Segmented } from "../parts/Segmented";
import { Legend, type LegendEntry } from "./Legend";
import { Map, type MapLabel } from "./Map";

/** One of the maps: its heading, the swatch of each area, the legend, and the facts in a sentence. */
export interface MapView {
  title: string;
  fill: (code: string) => string;
  legend: LegendEntry[];
  summary: string;
  labels?: MapLabel[];
  describe?: (code: string) => string;
}

interface Props {
  shapes: Shapes;
  /** One or two. */
  views: MapView[];
  chosen?: string | null;
  onChoose?: (code: string) => void;
  /** On narrow screens one of the two is shown at a time, this one first. Without it both stand one above the other. */
  narrow?: number;
}

/** Maps of the same areas side by side. */
export function MapPair({ shapes, views, chosen, onChoose, narrow }: Props) {
  const [shown, setShown] = useState(narrow);
  const switched = shown !== undefined && views.length > 1;
  return (
    <div class={switched ? "map-pair switched" : "map-pair"}>
      {switched ? (
        <Segmented
          label={t("indicator.map_choice")}
          options={views.map(({ title }, at) => ({ value: String(at), text: title }))}
          chosen={String(shown)}
          onChoose={(value) => setShown(Number(value))}
        />
      ) : null}
      <div class={views.length > 1 ? "columns two" : ""}>
        {views.map(({ title, legend, ...map }, at) => (
          <div key={title} class={switched && at !== shown ? "map-view behind" : "map-view"}>
            <h3>{title}</h3>
            <Map shapes={shapes} chosen={chosen} onChoose={onChoose} {...map} />
            <Legend entries={legend} />
          </div>
        ))}
      </div>
    </div>
  );
}
