// Texts as people type them: without diacritics, in small letters, with a typing error here and there.

const LETTERS: Record<string, string> = { ł: "l", đ: "d", ø: "o", ß: "ss", æ: "ae", œ: "oe", ı: "i" };

/** A text in small letters and without diacritics; what is neither a letter nor a digit becomes one space. */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[łđøßæœı]/g, (letter) => LETTERS[letter]!)
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** How many typing errors a word may have: none below four letters, then one, from eight letters two. */
export const allowedErrors = (word: string): number => (word.length < 4 ? 0 : word.length < 8 ? 1 : 2);

/**
 * The least number of typing errors (a letter too many, missing, wrong, or two letters swapped) between what was typed and the beginning
 * of a word. A result above `most` only says that there are more.
 */
export function errorsToBeginning(typed: string, word: string, most: number): number {
  const width = Math.min(word.length, typed.length + most);
  if (width < typed.length - most) return most + 1;
  let [before, last, next] = rows;
  for (let column = 0; column <= width; column++) last[column] = column;
  for (let row = 1; row <= typed.length; row++) {
    const from = Math.max(1, row - most);
    const to = Math.min(width, row + most);
    next[from - 1] = from === 1 ? row : most + 1;
    if (to < width) next[to + 1] = most + 1;
    let least = next[from - 1]!;
    for (let column = from; column <= to; column++) {
      const same = typed[row - 1] === word[column - 1];
      let errors = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && typed[row - 1] === word[column - 2] && typed[row - 2] === word[column - 1]) errors = Math.min(errors, before[column - 2]! + 1);
      next[column] = errors;
      if (errors < least) least = errors;
    }
    if (least > most) return most + 1;
    [before, last, next] = [last, next, before];
  }
  let least = most + 1;
  for (let column = Math.max(0, typed.length - most); column <= width; column++) least = Math.min(least, last[column]!);
  return least;
}

/** The rows of the table of errors, used again and again. A search takes 100 letters at most. */
const rows: [number[], number[], number[]] = [new Array<number>(256).fill(0), new Array<number>(256).fill(0), new Array<number>(256).fill(0)];
