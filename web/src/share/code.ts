import type { Asked } from '../api/wire'

/** The same question from elsewhere. With a key, its place is shown and not the key: what is copied is passed on. */

/** Bytes: Linux takes no argument above 128 KiB. */
const LONGEST = 100 * 1024

export function curl(origin: string, path: string, asked: Asked, key = false): string {
  const body = JSON.stringify(asked)
  const command = `curl -s ${origin}${path} -H 'Content-Type: application/json'${key ? ' -H "Authorization: Bearer $SHAPSERVE_KEY"' : ''}`
  if (new TextEncoder().encode(body).length > LONGEST) return `${command} --data-binary @- <<'END'\n${body}\nEND\n`
  return `${command} -d '${body.replaceAll("'", `'\\''`)}'\n`
}

export function python(origin: string, path: string, asked: Asked, key = false): string {
  return `${key ? 'import os\n\n' : ''}import httpx

asked = ${literal(asked, '')}
${key ? 'headers = {"Authorization": "Bearer " + os.environ["SHAPSERVE_KEY"]}\n' : ''}
answer = httpx.post("${origin}${path}", json=asked,${key ? ' headers=headers,' : ''} timeout=60)
answer.raise_for_status()
print(answer.json())
`
}

/** JSON as Python writes it. */
function literal(value: unknown, indent: string): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value !== 'object') return JSON.stringify(value)
  const inner = `${indent}    `
  const brief = JSON.stringify(value).length < 100
  const items = Array.isArray(value)
    ? value.map((each) => literal(each, inner))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${literal(each, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return brief ? `${open}${items.join(', ')}${close}` : `${open}\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}${close}`
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
