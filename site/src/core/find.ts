// Which file of site/data has what is known about an area, as in exports/site/places.py and exports/site/newest.py.

/** The path of the file that says where the values of an area of the finest level are, of `files` in all. */
export function placesFile(code: string, files: number): string {
  let file = 0;
  for (const character of code) file = (file * 31 + character.codePointAt(0)!) % files;
  return `site/data/find/${file}.json`;
}

/** How many files of newest values a bundle has. */
const PARTS = 2;

/** The path of the file of the newest values of an area. */
export const newestFile = (bundle: string, area: number): string => `site/data/newest/${encodeURIComponent(bundle)}.${area % PARTS}.json`;
