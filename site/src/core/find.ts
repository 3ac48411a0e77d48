// In which file of site/data/find an area of the finest level is, as in exports/site/places.py.

/** The path of the file for a code, of `files` in all. */
export function placesFile(code: string, files: number): string {
  let file = 0;
  for (const character of code) file = (file * 31 + character.codePointAt(0)!) % files;
  return `site/data/find/${file}.json`;
}
