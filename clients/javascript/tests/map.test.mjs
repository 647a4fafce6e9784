import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { mapInOrder } from '../dist/esm/map.js'

async function collected (outcomes) {
  const all = []
  for await (const outcome of outcomes) all.push(outcome)
  return all
}

test('results come in the order of the inputs, whoever is ready first', async () => {
  const outcomes = await collected(mapInOrder([30, 1, 20, 5, 0], async ms => { await pause(ms); return ms * 2 }, { concurrency: 3 }))
  assert.deepEqual(outcomes.map(({ index, input, result }) => [index, input, result]), [[0, 30, 60], [1, 1, 2], [2, 20, 40], [3, 5, 10], [4, 0, 0]])
})

test('no more are at work than allowed, and as many as allowed', async () => {
  let [running, most] = [0, 0]
  const work = async () => {
    most = Math.max(most, ++running)
    await pause(5)
    running--
  }
  await collected(mapInOrder(Array(20).fill(0), work, { concurrency: 4 }))
  assert.equal(most, 4)
})

test('inputs are taken no faster than results', async () => {
  let taken = 0
  async function * inputs () { while (true) yield taken++ }
  let seen = 0
  for await (const { index } of mapInOrder(inputs(), async input => input, { concurrency: 3 })) {
    assert.ok(taken <= index + 6)
    if (++seen === 10) break
  }
})

test('a slow one does not hold up those after it', async () => {
  const started = []
  const work = async input => { started.push(input); await pause(input === 0 ? 50 : 1) }
  const outcomes = mapInOrder([0, 1, 2, 3, 4, 5], work, { concurrency: 3 })
  await outcomes.next()
  assert.deepEqual(started, [0, 1, 2, 3, 4, 5])
  await collected(outcomes)
})

test('one that fails does not stop the others', async () => {
  const outcomes = await collected(mapInOrder([1, 2, 3], async n => { if (n === 2) throw new Error('two'); return n }, { concurrency: 2 }))
  assert.deepEqual(outcomes.map(({ ok }) => ok), [true, false, true])
  assert.equal(outcomes[1].error.message, 'two')
})

test('leaving the loop aborts what is at work', async () => {
  const aborted = []
  const work = (input, signal) => input === 0 ? Promise.resolve(0) : new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => { aborted.push(input); reject(signal.reason) })
  })
  for await (const _ of mapInOrder([0, 1, 2], work, { concurrency: 3 })) break
  assert.deepEqual(aborted, [1, 2])
})

test('the caller can give up', async () => {
  const controller = new AbortController()
  const work = (_, signal) => new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  setTimeout(() => controller.abort(new Error('enough')), 10)
  await assert.rejects(collected(mapInOrder([1, 2, 3], work, { concurrency: 2, signal: controller.signal })), /enough/)
})

test('a concurrency that is none is the caller\'s mistake', async () => {
  for (const concurrency of [0, -1, 1.5, NaN]) {
    await assert.rejects(collected(mapInOrder([1], async () => 1, { concurrency })), TypeError)
  }
})
