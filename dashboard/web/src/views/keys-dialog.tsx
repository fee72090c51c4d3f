// Which keys there are, and the switch for whoever is disturbed by them.
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { keysOn } from '../keys.ts';
import { KEYS } from '../logic/key-map.ts';

export function KeysDialog(props: { onClose: () => void }) {
  return (
    <Dialog
      title="Keys"
      onClose={props.onClose}
      foot={
        <Button look="primary" onClick={props.onClose}>
          Close
        </Button>
      }
    >
      <dl class="facts">
        {Object.entries(KEYS).map(([key, does]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={keysOn.value === 'on'}
          onChange={(event) => {
            keysOn.value = event.currentTarget.checked ? 'on' : 'off';
          }}
        />
        Single keys are on
      </label>
    </Dialog>
  );
}
