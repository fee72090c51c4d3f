// Who is signed in, and how the page looks to this person: theme, times, keys.
import { session, signOut, user } from '../api/session.ts';
import { Badge } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { Segments } from '../components/field.tsx';
import { Icon } from '../components/icon.tsx';
import { timeForm, zone } from '../components/time.tsx';
import { theme } from '../theme.ts';

const MENU = 'settings';

export function SettingsMenu(props: { onKeys: () => void }) {
  const who = user.value;
  return (
    <>
      <button
        type="button"
        class="button button-small"
        popovertarget={MENU}
        aria-label={`Settings of ${who?.name ?? 'the page'}`}
      >
        <span class="user-name cut">{who?.name}</span>
        <Icon name="down" />
      </button>
      <section id={MENU} class="menu" popover="auto" aria-label="Settings">
        <div class="spread">
          <span class="cut">{who?.name}</span>
          {who && <Badge>{who.role}</Badge>}
        </div>
        <Segments
          label="Theme"
          name="theme"
          options={[
            ['system', 'System'],
            ['light', 'Light'],
            ['dark', 'Dark'],
          ]}
          value={theme.value}
          onChange={(value) => {
            theme.value = value;
          }}
        />
        <Segments
          label="Times"
          name="time"
          options={[
            ['relative', 'Relative'],
            ['absolute', 'Absolute'],
          ]}
          value={timeForm.value}
          onChange={(value) => {
            timeForm.value = value;
          }}
        />
        <Segments
          label="Zone"
          name="zone"
          options={[
            ['local', 'Local'],
            ['utc', 'UTC'],
          ]}
          value={zone.value}
          onChange={(value) => {
            zone.value = value;
          }}
        />
        <div class="spread">
          <Button
            small
            onClick={() => {
              document.querySelector<HTMLElement>(`#${MENU}`)?.hidePopover();
              props.onKeys();
            }}
          >
            Keys
          </Button>
          {session.value?.signIn === 'token' && (
            <Button small onClick={() => void signOut()}>
              Sign out
            </Button>
          )}
        </div>
        <p class="muted small">Waybill {session.value?.version}</p>
      </section>
    </>
  );
}
