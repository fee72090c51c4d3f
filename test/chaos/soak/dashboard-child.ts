// The dashboard of a soak, a process of its own: tells its address once it is asked.
import { type ConfigInput, startDashboard } from '../../../dashboard/index.ts';

const { CHAOS_CONFIG = '{}' } = process.env;
const { url } = await startDashboard(JSON.parse(CHAOS_CONFIG) as ConfigInput, { env: {}, localName: 'soak' });

process.on('message', (message) => {
  if (typeof message === 'object' && message && 'ask' in message && message.ask === 'url') process.send?.({ url });
});
process.on('disconnect', () => process.exit(1));
process.send?.('ready');
