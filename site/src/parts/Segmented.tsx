interface Props {
  label: string;
  options: { value: string; text: string }[];
  chosen: string;
  onChoose: (value: string) => void;
}

/** A choice of one of a few views, as buttons side by side. */
export function Segmented({ label, options, chosen, onChoose }: Props) {
  return (
    <div class="segmented" role="group" aria-label={label}>
      {options.map(({ value, text }) => (
        <button key={value} type="button" aria-pressed={value === chosen} onClick={() => onChoose(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}
