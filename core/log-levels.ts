// The levels of the worker's log, from all lines to none. Apart from the configuration's schema, so that a Tab of the
// shell need not load it.
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
