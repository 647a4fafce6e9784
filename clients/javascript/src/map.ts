/** Many calls at a time, but not too many, with their results in order. */

/** One input's end. */
export type Outcome<I, R> =
  | { ok: true, index: number, input: I, result: R }
  | { ok: false, index: number, input: I, error: unknown }

/**
 * Call `work` for every input, at most `concurrency` at a time, and yield the outcomes in the order of the inputs.
 *
 * Inputs are taken only as fast as outcomes are: at most twice `concurrency` are waiting, at work, or done and not yet
 * yielded, so that a slow one holds up the others late. Leaving the loop early aborts what is at work.
 */
export async function * mapInOrder<I, R> (
  inputs: Iterable<I> | AsyncIterable<I>,
  work: (input: I, signal: AbortSignal) => Promise<R>,
  { concurrency, signal }: { concurrency: number, signal?: AbortSignal | undefined },
): AsyncGenerator<Outcome<I, R>, void, undefined> {
  if (!Number.isInteger(concurrency) || concurrency < 1) throw new TypeError('concurrency is a whole number from 1')
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(signal?.reason)
  signal?.throwIfAborted()
  signal?.addEventListener('abort', onAbort)
  const running: Array<Promise<Outcome<I, R>>> = []
  const slots = new Slots(concurrency)
  const start = (input: I, index: number): Promise<Outcome<I, R>> => slots.run(async () => {
    controller.signal.throwIfAborted()
    return work(input, controller.signal)
  }).then(
    result => ({ ok: true, index, input, result }),
    (error: unknown) => ({ ok: false, index, input, error }),
  )
  try {
    let index = 0
    for await (const input of inputs) {
      running.push(start(input, index++))
      if (running.length === 2 * concurrency) yield await next(running, signal)
    }
    while (running.length > 0) yield await next(running, signal)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    controller.abort(new DOMException('the loop over the results has ended', 'AbortError'))
  }
}

async function next<T> (running: Array<Promise<T>>, signal: AbortSignal | undefined): Promise<T> {
  const first = await running.shift()!
  signal?.throwIfAborted()
  return first
}

/** Lets so many run at a time, the others in their order. */
class Slots {
  private readonly waiting: Array<() => void> = []

  constructor (private free: number) {}

  async run<T> (work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--
    else await new Promise<void>(resolve => { this.waiting.push(resolve) })
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      next === undefined ? this.free++ : next()
    }
  }
}
