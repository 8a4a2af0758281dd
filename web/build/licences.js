// The licences of what is bundled, in one file beside it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const modules = new URL('../node_modules/', import.meta.url)
const bundled = ['clsx', 'd3-array', 'd3-path', 'd3-shape', 'esm-env', 'internmap', 'svelte']

const parts = bundled.map((name) => {
  const folder = new URL(`${name}/`, modules)
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (!file) throw new Error(`${name} has no licence file`)
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  return `${name} ${version}\n${'-'.repeat(`${name} ${version}`.length)}\n\n${readFileSync(new URL(file, folder), 'utf8').trim()}\n`
})
const heading = 'assets/ contains code of these packages. docs/ is Swagger UI, whose LICENSE and NOTICE stand beside it.\n'
writeFileSync(new URL('../../service/static/THIRD-PARTY.txt', import.meta.url), [heading, ...parts].join('\n\n'))
