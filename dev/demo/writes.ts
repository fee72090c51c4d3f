// The dozen writes of the demo: one for each end that a write can come to, and for the ways there. What the sandbox does
// with each send stands in the write's own body, as its plan.

export interface DemoWrite {
  path: string;
  body: Readonly<Record<string, unknown>>;
  /** What is to be seen. */
  story: string;
  maxAttempts?: number;
}

const planned = (...plan: string[]): { sandbox: { plan: string[] } } => ({ sandbox: { plan } });

/** The longest story first: five attempts take 15 to 18 s, and the others happen meanwhile. */
export const WRITES: readonly DemoWrite[] = [
  {
    path: '/v1/sales-events',
    body: { store_id: 'cph-1', amount: 199.5, currency: 'DKK', ...planned('503', '503', '503', '503', '503') },
    story: 'the API answers 503 every time',
  },
  { path: '/v1/profiles', body: { email: 'ada@example.com' }, story: 'all is well' },
  { path: '/v1/subscriptions/opt-in', body: { phone_number: '+4512345678' }, story: 'all is well' },
  {
    path: '/v1/stores',
    body: { name: 'Aarhus', country: 'DK', ...planned('reset-after') },
    story: 'applied, but the answer is lost',
  },
  {
    path: '/v1/subscriptions/opt-in',
    body: { phone_number: '+4587654321', ...planned('429:retry-after=2') },
    story: '429, come back in 2 s',
  },
  {
    path: '/v1/sales-events',
    body: { store_id: 'cph-1', amount: 12, currency: 'DKK', ...planned('503') },
    story: '503 once',
  },
  { path: '/v1/subscriptions/opt-in', body: { phone_number: '12345' }, story: 'no valid phone number' },
  {
    path: '/v1/profiles',
    body: { email: 'alan@example.com', ...planned('reset-before') },
    story: 'the connection breaks before it is applied',
  },
  {
    path: '/v1/stores',
    body: { name: 'Odense', country: 'DK', ...planned('slow:600') },
    story: 'the API takes its time',
  },
  {
    path: '/v1/profiles',
    body: { email: 'edsger@example.com', ...planned('404') },
    story: 'it names what does not exist',
  },
  {
    path: '/v1/sales-events',
    body: { store_id: 'aar-1', amount: 75, currency: 'DKK', ...planned('reset-before', '503') },
    story: 'two attempts only: no answer, then 503',
    maxAttempts: 2,
  },
  { path: '/v1/profiles', body: { email: 'grace@example.com' }, story: 'all is well' },
];
