// What a visitor downloads, and a limit that fails the build.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LIMIT = 100_000
const page = new URL('../../service/static/', import.meta.url)
const files = ['index.html', 'favicon.svg', ...readdirSync(new URL('assets/', page)).sort().map((name) => `assets/${name}`)]

let total = 0
for (const name of files) {
  const bytes = readFileSync(new URL(name, page))
  const zipped = gzipSync(bytes, { level: 9 }).length
  total += zipped
  console.log(`${name.padEnd(24)}${String(bytes.length).padStart(8)} bytes${String(zipped).padStart(8)} gzipped`)
}
console.log(`${'together'.padEnd(24)}${' '.repeat(14)}${String(total).padStart(8)} gzipped, of ${LIMIT}`)
if (total > LIMIT) process.exit(1)
