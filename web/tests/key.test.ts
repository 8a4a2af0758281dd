import assert from 'node:assert/strict'
import test from 'node:test'
import { type Asking, Keyring } from '../src/api/key.ts'
import { Problem, problemOf, Unreachable } from '../src/api/problem.ts'
import { curl, python } from '../src/share/code.ts'

/** A tab's storage, and a keyring of it that notes what it says. */
function tab(kept: Record<string, string> = {}) {
  const storage = {
    getItem: (name: string) => kept[name] ?? null,
    setItem: (name: string, value: string) => void (kept[name] = value),
    removeItem: (name: string) => void delete kept[name],
  }
  const keyring = new Keyring(() => storage)
  const said: Asking[] = []
  keyring.said = (asking) => void said.push(asking)
  return { kept, keyring, said }
}

test('all requests that were refused wait for one key', async () => {
  const { kept, keyring, said } = tab()
  assert.deepEqual(keyring.headers, {})
  const refused = [keyring.refused(null), keyring.refused(null)]
  assert.deepEqual(said, ['first'])
  keyring.use('  abc ')
  assert.deepEqual(await Promise.all(refused), [true, true])
  assert.deepEqual(keyring.headers, { Authorization: 'Bearer abc' })
  assert.deepEqual(Object.values(kept), ['abc'])
  keyring.taken('abc')
  keyring.taken('abc')
  assert.deepEqual(said, ['first', 'trying', 'no'])
})

test('a key that is not known is asked for again, and forgotten when none follows', async () => {
  const { kept, keyring, said } = tab({ 'shapserve-key': 'old' })
  const refused = keyring.refused('old')
  assert.deepEqual(said, ['unknown'])
  keyring.use('new')
  assert.equal(await refused, true)
  const again = keyring.refused('new')
  keyring.close()
  assert.equal(await again, false)
  assert.deepEqual(said, ['unknown', 'trying', 'unknown', 'no'])
  assert.deepEqual([keyring.key, kept], [null, {}])
})

test('what was sent before the key came is sent again without a question', async () => {
  const { keyring, said } = tab()
  const refused = keyring.refused(null)
  keyring.use('abc')
  await refused
  assert.equal(await keyring.refused(null), true)
  keyring.taken(null)
  assert.deepEqual(said, ['first', 'trying'])
})

test('what cannot stand in a header is no key', () => {
  for (const text of ['', ' ', 'two words', 'schlüssel', 'a\nb']) {
    const { kept, keyring, said } = tab()
    keyring.use(text)
    assert.deepEqual([keyring.key, said, kept], [null, ['unreadable'], {}])
  }
})

test('a tab that keeps nothing uses the key all the same', () => {
  const keyring = new Keyring(() => {
    throw new Error('refused')
  })
  keyring.use('abc')
  assert.equal(keyring.key, 'abc')
})

test('what is copied shows where the key goes and not the key', () => {
  const asked = { model: 'm', instances: [{ Age: 3 }] }
  assert.ok(curl('http://h', '/explain', asked, true).includes(`-H "Authorization: Bearer $SHAPSERVE_KEY" -d '`))
  assert.ok(python('http://h', '/explain', asked, true).includes('headers=headers'))
  for (const code of [curl('http://h', '/explain', asked), python('http://h', '/explain', asked)]) assert.ok(!code.includes('KEY'))
})

test('too much at once says when to come again, and a proxy without a service is nobody', async () => {
  const body = (status: number) => JSON.stringify({ detail: 'at most 5 requests a second', status, instance: 'abc', errors: [] })
  const answer = (status: number, headers = {}) => new Response(body(status), { status, headers: { 'Content-Type': 'application/problem+json', ...headers } })
  const busy = await problemOf(answer(429, { 'Retry-After': '3' }))
  assert.ok(busy instanceof Problem)
  assert.equal(busy.words, 'at most 5 requests a second. Try again in 3 s.')
  assert.ok((await problemOf(answer(502, { 'Retry-After': '1' }))) instanceof Unreachable)
  assert.ok((await problemOf(answer(504))) instanceof Problem)
})
