import type { Areas } from "../../core/areas";
import type { CohesionFile, Dispersion, Pairing } from "../../core/cohesion";
import type { IndicatorMeta, Meta } from "../../core/data";

/** What the parts of the page of inner differences show: an indicator within the territories of a pairing. */
export interface PairingProps {
  meta: Meta;
  areas: Areas;
  file: CohesionFile;
  indicator: IndicatorMeta;
  pairing: Pairing;
}

export interface DispersionProps extends PairingProps {
  /** The dispersions of the territories of the pairing. */
  dispersions: Dispersion[];
}
