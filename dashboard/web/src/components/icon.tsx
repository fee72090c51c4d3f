// Small pictures drawn as lines: a character of a font is a blank where the font lacks it. They only stand beside words or
// in a control that has a name, so that nobody hears them.
const PATHS = {
  back: 'M13 8H3.5M7.5 4l-4 4 4 4',
  down: 'm4 6.5 4 4 4-4',
  up: 'm4 9.5 4-4 4 4',
  close: 'm4 4 8 8m0-8-8 8',
} as const;

export function Icon(props: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path
        d={PATHS[props.name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.75"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
