// Results that come in time, each given in its turn: while the first is awaited, those behind it are under way.

export interface Line<T> {
  /** Puts one in line, and gives those at its head that have come, waiting where too many are in it. */
  join(coming: Promise<T>): AsyncGenerator<T>;
  /** Waits for all that are left. */
  rest(): AsyncGenerator<T>;
}

/**
 * @param length how many may be awaited while others join; 0 gives each before the next one joins. None may reject.
 */
export function inLine<T>(length: number): Line<T> {
  const line: { coming: Promise<T>; hasCome: boolean }[] = [];
  async function* upTo(most: number): AsyncGenerator<T> {
    for (let [head] = line; head && (head.hasCome || line.length > most); [head] = line) {
      yield await head.coming;
      line.shift();
    }
  }
  return {
    join(coming) {
      const place = { coming, hasCome: false };
      void coming.then(() => (place.hasCome = true));
      line.push(place);
      return upTo(length);
    },
    rest: () => upTo(0),
  };
}
