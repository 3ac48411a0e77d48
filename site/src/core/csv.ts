// Tables of a page as CSV files (RFC 4180), with numbers as in the files of the release.
import type { Value } from "./data";

export type Cell = string | Value;

/** The text of a CSV file. Texts that a spreadsheet would take as a formula get an apostrophe in front. */
export function csv(header: string[], rows: Cell[][]): string {
  return [header, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function field(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The file of a table; the mark at its beginning makes spreadsheets read it as UTF-8. */
export const csvFile = (text: string): Blob => new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" });
