import { type Localized, load } from "./data";

/** A file of the release, or a folder with a file for each indicator (`files` says how many). */
export interface ReleaseFile {
  path: string;
  bytes: number;
  files?: number;
  format: string;
  group: string;
  title: Localized;
}

export const loadFiles = () => load<ReleaseFile[]>("site/data/files.json");
