import type { ComponentChildren } from "preact";

export interface Column {
  title: string;
  /** Numbers are aligned at the right. */
  numeric?: boolean;
}

interface Props {
  /** The name of the table for screen readers; different from that of every other table of the page. */
  label: string;
  columns: Column[];
  /** The first cell of a row is its heading. */
  rows: ComponentChildren[][];
}

/** A table that scrolls sideways where the screen is narrow. */
export function DataTable({ label, columns, rows }: Props) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="data">
        <thead>
          <tr>
            {columns.map(({ title, numeric }) => (
              <th key={title} scope="col" class={numeric ? "numeric" : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={column} class={columns[column]?.numeric ? "numeric" : undefined}>
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
