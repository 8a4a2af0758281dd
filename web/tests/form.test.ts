import assert from 'node:assert/strict'
import test from 'node:test'
import { serverTime } from '../src/api/client.ts'
import { pointer } from '../src/api/pointer.ts'
import { Problem } from '../src/api/problem.ts'
import type { Field } from '../src/api/wire.ts'
import { fewChoices, niceStep, rangeOf } from '../src/form/ranges.ts'
import { Later } from '../src/state/later.ts'
import { Latest } from '../src/state/latest.ts'

const age: Field = { name: 'Age', type: 'number', description: '', unit: null, categories: null, minimum: 0, maximum: 120, observed: [0.42, 80], required: false, missing: 30 }

test('a slider spans what was observed, is widened to the value and ends at the hard limits', () => {
  assert.deepEqual(rangeOf(age, 22), { min: 0, max: 80, step: 1 })
  assert.deepEqual(rangeOf(age, 95), { min: 0, max: 95, step: 1 })
  assert.deepEqual(rangeOf(age, 500), { min: 0, max: 120, step: 1 })
})

test('steps are 1, 2 or 5 times a power of ten', () => {
  assert.deepEqual([0.8, 5.12, 0.003, 23].map(niceStep), [1, 5, 0.002, 20])
})

test('few whole numbers are buttons', () => {
  assert.deepEqual(fewChoices({ ...age, type: 'integer', minimum: 1, maximum: 3 }), [1, 2, 3])
  assert.equal(fewChoices({ ...age, type: 'integer' }), null)
})

test('a flaw is said at its place, and only what has none goes elsewhere', () => {
  const problem = new Problem(422, 'd', 'id', [{ pointer: '/instances/0/Age', detail: 'too old' }, { pointer: '/x', detail: 'what' }], null)
  assert.equal(problem.at('/instances/0/Age'), 'too old')
  assert.deepEqual(problem.beyond(new Set(['/instances/0/Age'])).map((flaw) => flaw.pointer), ['/x'])
})

test('the server says how long it took', () => {
  assert.equal(serverTime('queue;dur=0.5, parse;dur=1.5'), 2)
  assert.equal(serverTime('queue;dur=1, explain;dur=2, queue;dur=4'), 7)
  assert.equal(serverTime(null), null)
})

test('of many questions at once, the first and the newest are asked, one after the other', async () => {
  const asked: number[] = []
  let running = 0
  const latest = new Latest()
  for (let i = 0; i < 5; i++) {
    latest.ask(async () => {
      assert.equal(++running, 1)
      asked.push(i)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running--
    })
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(asked, [0, 4])
})

test('a question that takes too long is given up for a newer one', async () => {
  const latest = new Latest(10)
  let gaveUp = false
  let answered = false
  latest.ask((signal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => ((gaveUp = true), resolve()))))
  latest.ask(async () => void (answered = true))
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.ok(gaveUp && answered)
})

test('a place is written as the service writes it', () => {
  assert.equal(pointer('instances', 0, 'a/b~c'), '/instances/0/a~1b~0c')
  assert.equal(pointer('/'.repeat(70)), `/${'~1'.repeat(64)}`)
  assert.equal(pointer('a\nb\u00a0c d😀'), '/a?b?c d😀')
})

test('of questions put off, the last is asked; none after the end', async () => {
  const asked: string[] = []
  const later = new Later()
  for (const name of ['a', 'b', 'c']) later.put(0.005, () => asked.push(name))
  await new Promise((resolve) => setTimeout(resolve, 30))
  later.put(0.005, () => asked.push('d'))
  later.stop()
  later.put(0.005, () => asked.push('e'))
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.deepEqual(asked, ['c'])
})
