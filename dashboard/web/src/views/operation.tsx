// One bulk operation: how far it is, what became of the writes, what to do with it, and each item.
import { useRoute } from 'preact-iso';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { Badge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { ErrorNote, Note, Skeleton } from '../components/notes.tsx';
import { Time } from '../components/time.tsx';
import { changes } from '../live.ts';
import { counted } from '../logic/number-words.ts';
import { useLookAgain } from '../look-again.ts';
import { ACT_WORDS, handledOf, isOver, STATE_TONES } from '../logic/operation-words.ts';
import { to } from '../routes.ts';
import { OperationActDialog, type OperationAct } from './operations/act-dialog.tsx';
import { Announced } from './operations/announced.tsx';
import { OperationFacts } from './operations/facts.tsx';
import { OperationItemsTable } from './operations/items.tsx';
import { Progress } from './operations/progress.tsx';
import { ResultFigures } from './operations/result-figures.tsx';

export function OperationView() {
  const { destination = '', id = '' } = useRoute().params;
  const change = changes.value;
  const [act, setAct] = useState<OperationAct>();
  const loaded = useLoad(`${destination} ${id}`, (signal) =>
    call('operation', { params: { destination, id }, signal }),
  );
  const { data: operation, error, reload } = loaded;
  const over = operation === undefined || (isOver(operation) && operation.after.underway === 0);
  useEffect(() => {
    document.title = 'Operation · Waybill';
  }, []);
  useEffect(reload, [change]);
  useLookAgain(!over, reload);

  if (!operation)
    return (
      <>
        <h1>Operation</h1>
        {error ? <ErrorNote error={error} retry={reload} /> : <Skeleton label="Loading the operation" />}
      </>
    );
  return (
    <>
      <a class="back" href={to.operations()}>
        <Icon name="back" /> All operations
      </a>
      <div class="spread">
        <h1 class="row">
          {ACT_WORDS[operation.act]} {counted(operation.total, 'letter')} of {operation.destination}
          <Badge tone={STATE_TONES[operation.state]}>{operation.state}</Badge>
        </h1>
        {!isOver(operation) && (
          <div class="row">
            {operation.state === 'paused' ? (
              <Button look="primary" needs="operator" onClick={() => setAct('resume')}>
                Resume…
              </Button>
            ) : (
              <Button needs="operator" onClick={() => setAct('pause')}>
                Pause…
              </Button>
            )}
            <Button look="danger" needs="operator" onClick={() => setAct('cancel')}>
              Cancel…
            </Button>
          </div>
        )}
      </div>
      {error && <ErrorNote error={error} retry={reload} />}
      {operation.state === 'paused' && operation.pausedBecause !== undefined && (
        <Note tone="warn">
          <strong>Paused</strong>
          <bdi>{operation.pausedBecause}</bdi>
        </Note>
      )}
      <section class="card card-body stack" aria-label="Progress">
        <Progress operation={operation} />
        <Announced operation={operation} />
        <ResultFigures operation={operation} />
        {operation.step && !isOver(operation) && (
          <p>
            Canary step {operation.step.n} of {operation.step.of}, until item {operation.step.until}
            {operation.step.waiting ? ': waits for its writes to end before it goes on.' : '.'}
          </p>
        )}
      </section>
      <OperationFacts operation={operation} />
      <OperationItemsTable operation={operation} turn={`${handledOf(operation)} ${operation.after.underway}`} />
      {operation.endedAt !== undefined && (
        <p class="small muted">
          Ended <Time at={operation.endedAt} />
        </p>
      )}
      {act && (
        <OperationActDialog
          act={act}
          operation={operation}
          onClose={() => setAct(undefined)}
          onDone={() => {
            setAct(undefined);
            reload();
          }}
        />
      )}
    </>
  );
}
