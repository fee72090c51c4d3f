// Several streams, each in order, as one in that order.

/** @param timeOf epoch ms; each stream comes in the order of it */
export async function* inOrder<T>(
  streams: readonly AsyncGenerator<T>[],
  first: 'oldest' | 'newest',
  timeOf: (one: T) => number,
): AsyncGenerator<T> {
  const heads: { one: T; at: number; stream: AsyncGenerator<T> }[] = [];
  const advance = async (stream: AsyncGenerator<T>): Promise<void> => {
    const next = await stream.next();
    if (next.done !== true) heads.push({ one: next.value, at: timeOf(next.value), stream });
  };
  for (const stream of streams) await advance(stream);
  const sign = first === 'oldest' ? 1 : -1;
  while (heads.length > 0) {
    const next = heads.reduce((best, head, i) => (sign * head.at < sign * (heads[best]?.at ?? 0) ? i : best), 0);
    const [head] = heads.splice(next, 1);
    if (!head) return;
    yield head.one;
    await advance(head.stream);
  }
}

/** No more than `limit` of them. */
export async function* upTo<T>(limit: number, all: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0;
  for await (const one of all) {
    yield one;
    count += 1;
    if (count >= limit) return;
  }
}
