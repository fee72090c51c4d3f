// What a person does to one dead letter: replay, edit and replay, discard, restore. He is who is signed in, whatever the
// request says; of two people at one letter the second is told who was first.
import { WaybillError } from '../../../core/errors.ts';
import { unmaskEdit, type WriteEdit } from '../../../core/mask-write.ts';
import { getLetter, lookAtLetter } from '../../../queue/dead-letters.ts';
import { discard, replay, restore } from '../../../queue/operate.ts';
import type { Reader } from '../../../queue/reader.ts';
import type { DashboardApp, DashboardContext } from '../app.ts';
import { actAnswer, actRequest, letterParams, replayAnswer, replayRequest } from '../contract/letters.ts';
import { ApiError, notFound } from '../errors.ts';
import { maskingOf } from '../shown/masking.ts';
import { dataRoute } from './data-route.ts';

export function actRoutes(app: DashboardApp, context: DashboardContext): void {
  dataRoute(
    app,
    context,
    'replay',
    {
      summary: 'Send a dead write again, as it is or edited',
      params: letterParams,
      body: replayRequest,
      answer: replayAnswer,
    },
    async ({ params: { destination, id }, body, user, reader }) => {
      const { reason, newKey, acceptDouble, ignoreExpiry, edit } = body;
      /** An edit is sent or refused: never the write without it. */
      const sentFor = async (given: NonNullable<typeof edit>): Promise<WriteEdit> => {
        const letter = await getLetter(reader, destination, id);
        if (!letter) throw notFound(`no dead letter ${JSON.stringify(id)} at ${destination} that can be read`);
        if (!letter.write) {
          const words = `${id} is no write that could be edited`;
          throw new ApiError(409, 'REPLAY_REFUSED', words, { details: { refusal: 'NOT_A_WRITE' } });
        }
        return unmaskEdit(dropMissing(given), letter.write, maskingOf(context.config, destination));
      };
      const sent = edit && (await sentFor(edit));
      return tellingWhoWasFirst(reader, destination, id, () =>
        replay(
          reader,
          destination,
          id,
          { by: user.name, reason },
          {
            ...(newKey !== undefined && { newKey }),
            // The contract takes the typed words alone.
            acceptDouble: acceptDouble !== undefined,
            ignoreExpiry: ignoreExpiry === true,
            ...(sent && { edit: sent }),
          },
        ),
      );
    },
  );
  for (const [name, act, summary] of [
    ['discard', discard, 'Put a dead letter aside'],
    ['restore', restore, 'Take a discarded dead letter back'],
  ] as const) {
    dataRoute(
      app,
      context,
      name,
      { summary, params: letterParams, body: actRequest, answer: actAnswer },
      async ({ params: { destination, id }, body, user, reader }) =>
        tellingWhoWasFirst(reader, destination, id, () =>
          act(reader, destination, id, { by: user.name, reason: body.reason }),
        ),
    );
  }
}

/** A conflict, with all that a page needs to say it where it stands. */
async function tellingWhoWasFirst<T>(
  reader: Reader,
  destination: string,
  id: string,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof WaybillError)) throw error;
    const { code, message, field } = error;
    if (code === 'REPLAY_REFUSED') throw new ApiError(409, code, message, { details: { refusal: field } });
    if (code !== 'LETTER_HANDLED') throw error;
    const letter = await lookAtLetter(reader, destination, id);
    const last = letter?.acts.at(-1);
    const details = {
      state: letter?.state,
      ...(last && { by: last.by, at: last.at, act: last.act, reason: last.reason, operation: last.operation }),
    };
    throw new ApiError(409, code, message, { details });
  }
}

const dropMissing = <T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
