// Reads every cell of the Parquet files it is given with hyparquet, and prints for each the rows and the cells of each column that have a value.
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const found = {}
for (const path of process.argv.slice(2)) {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
  const values = {}
  for (const row of rows) {
    for (const [name, cell] of Object.entries(row)) values[name] = (values[name] ?? 0) + (cell === null || cell === undefined ? 0 : 1)
  }
  found[path] = { rows: rows.length, values }
}
console.log(JSON.stringify(found))
