// An operator in a process of its own, to be killed.
import { Reader } from '../../queue/reader.ts';
import { carryOut, type Order } from './operator.ts';

const { CHAOS_REDIS = '', CHAOS_DESTINATION = '' } = process.env;
const reader = await Reader.open(CHAOS_REDIS);
process.on('message', (order: Order) => {
  void carryOut(reader, CHAOS_DESTINATION, order).then((report) => process.send?.(report));
});
// Its campaign has ended, however it ended.
process.on('disconnect', () => process.exit(1));
process.send?.('ready');
