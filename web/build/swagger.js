// Swagger UI, as its authors built it, beside the page.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const from = new URL('../node_modules/swagger-ui-dist/', import.meta.url)
const to = new URL('../../service/static/docs/', import.meta.url)

mkdirSync(to, { recursive: true })
for (const name of ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt']) copyFileSync(new URL(name, from), new URL(name, to))
for (const name of ['index.html', 'init.js', 'key.css']) copyFileSync(new URL(`../docs/${name}`, import.meta.url), new URL(name, to))

// The source map is not shipped, so nothing should ask for it.
for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
  const text = readFileSync(new URL(name, from), 'utf8').replace(/\n?(\/\/|\/\*)# sourceMappingURL=\S+( ?\*\/)?\s*$/, '\n')
  writeFileSync(new URL(name, to), text)
}
