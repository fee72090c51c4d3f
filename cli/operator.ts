// Who acts, where the command line does not say it: as the audit stream will name him.
import { hostname, userInfo } from 'node:os';
import { CliError } from './exit-codes.ts';
import type { Io } from './io.ts';

/**
 * @param given --by
 * @throws CliError USAGE where the system knows no name, as in a container with a bare user id
 */
export function operatorName({ env }: Pick<Io, 'env'>, given: string | undefined): string {
  const name = given ?? (env.WAYBILL_OPERATOR || undefined);
  if (name !== undefined) return name;
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch (cause) {
    throw new CliError('USAGE', 'who acts? This user has no name here: give --by NAME, or set WAYBILL_OPERATOR', cause);
  }
}
