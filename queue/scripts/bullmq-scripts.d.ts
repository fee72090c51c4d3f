// BullMQ ships these scripts, but no declarations for the file that exports them.
declare module 'bullmq/dist/cjs/scripts/index.js' {
  interface BullScript {
    name: string;
    content: string;
    keys: number;
  }
  export const addDelayedJob: BullScript;
  export const addPrioritizedJob: BullScript;
  export const addStandardJob: BullScript;
  export const moveStalledJobsToWait: BullScript;
  export const moveToActive: BullScript;
  export const moveToDelayed: BullScript;
  export const moveToFinished: BullScript;
  export const pause: BullScript;
}
