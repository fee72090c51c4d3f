// BullMQ's Worker as our consumer needs it: it keeps the raw data of its jobs, tells how long its loop has not come round,
// and can be let go of while writes are in flight.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, type JobJson, Worker } from 'bullmq';
import { CORRUPT } from './take.ts';
import { TakenJob } from './taken-job.ts';

/** Between two looks at a clock that does not agree with that of Redis. */
const CLOCK_PAUSE_MS = 100;
/** How often a worker that was let go of is looked at, and how long its loop may take to end once nothing is in flight. */
const LOOK_MS = 250;
const END_WITHIN_MS = 3000;

export class WriteWorker extends Worker {
  /** While it is false nothing is fetched: what is due is told by this machine's clock. Set by the consumer. */
  clockAgrees: () => boolean = () => true;
  #inFlight = 0;
  #turnedAt = performance.now();

  /** Writes that are being sent or settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * When its loop last came round: a fetch was answered, with a write, without one or with an error, or a new wait
   * began. On the clock of performance.now(), which nobody sets.
   */
  get turnedAt(): number {
    return this.#turnedAt;
  }

  /**
   * Takes no more writes and settles those in flight, whose locks are renewed until then. A loop that does not end by
   * itself once nothing is in flight is left behind with its connection.
   */
  async retire(): Promise<void> {
    const closed = this.close().then(() => true);
    for (let idleMs = 0; idleMs < END_WITHIN_MS; idleMs = this.#inFlight > 0 ? 0 : idleMs + LOOK_MS) {
      const look = new AbortController();
      const ended = await Promise.race([closed, sleep(LOOK_MS, false, { signal: look.signal }).catch(() => false)]);
      look.abort();
      if (ended) return;
    }
    this.abandon();
  }

  /** Renews no lock any more and lets go of the connection of its own, without a wait for what may not answer. */
  abandon(): void {
    void this.lockManager.close();
    // Ends the timer of the stalled checks, which would keep the process alive.
    void this.pause(true);
    void this.getBackend()
      .blockingConnection?.close(true)
      .catch(() => {});
  }

  override async processJob(...args: Parameters<Worker['processJob']>): Promise<void | Job> {
    this.#inFlight++;
    try {
      const [job, token, fetchNext = () => true] = args;
      return await super.processJob(job, token, () => this.clockAgrees() && fetchNext());
    } finally {
      this.#inFlight--;
      // BullMQ's sets hold a settled job until a full collection: let it be a small one.
      args[0].data = {};
    }
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    try {
      // BullMQ waits for its connection, and reads the clock then: it may have jumped meanwhile.
      await (this.getBackend() as unknown as { client: Promise<unknown> }).client;
      if (!this.clockAgrees()) {
        await sleep(CLOCK_PAUSE_MS);
        // Then asks at once, and does not wait for news: they may have come meanwhile.
        (this as unknown as { drained: boolean }).drained = false;
        return undefined as unknown as Job; // as BullMQ says that there is none
      }
      return await super.moveToActive(token, name);
    } finally {
      this.#turn();
    }
  }

  /** A settled write brings the next one. */
  protected override nextJobFromJobData(jobData?: JobJson, jobId?: string, token?: string): Promise<Job> {
    this.#turn();
    return super.nextJobFromJobData(jobData, jobId, token);
  }

  /** BullMQ would wait for a write that is scheduled for later longer than for any other. */
  protected override getBlockTimeout(blockUntil: number): number {
    this.#turn();
    // Whoever waits takes the news of a write from those who could take it.
    if (!this.clockAgrees()) return 0;
    return Math.min(super.getBlockTimeout(blockUntil), this.opts.drainDelay ?? Infinity);
  }

  #turn(): void {
    this.#turnedAt = performance.now();
  }

  protected override get Job(): typeof Job {
    return TakenJob as typeof Job;
  }

  protected override createJob(json: JobJson, jobId: string): Job {
    const job = this.#parse(json, jobId) as TakenJob;
    job.raw = json.data;
    // Policy is the worker's, whoever enqueued the write.
    job.opts.backoff = { type: 'custom' };
    delete job.opts.removeOnComplete;
    delete job.opts.removeOnFail;
    return job;
  }

  /** Data is parsed once, by BullMQ; what cannot be parsed is left out, and take() finds the raw text corrupt. */
  #parse(json: JobJson, jobId: string): Job {
    try {
      return super.createJob(json, jobId);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return super.createJob({ ...json, data: CORRUPT }, jobId);
    }
  }
}
