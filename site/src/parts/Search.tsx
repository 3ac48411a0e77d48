import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { Areas } from "../core/areas";
import { type Meta, type Places, loadPlaces } from "../core/data";
import { number } from "../core/format";
import { address } from "../core/state";
import { type Suggestion, SuggestionIndex } from "../core/suggestions";
import { t } from "../core/texts";

interface Props {
  meta: Meta;
  label: string;
  /** What is searched. */
  kinds: "places" | "indicators" | "both";
  /** A line below the field. */
  hint?: string;
  /** What happens with the choice; without it the page of the choice is opened. */
  onChoose?: (choice: Suggestion) => void;
  /** Leaves out suggestions, such as places that are chosen already. */
  accepts?: (suggestion: Suggestion) => boolean;
  /** A smaller field. */
  compact?: boolean;
}

const LIMIT = 8;

/** A search field with suggestions: a combobox that controls a listbox. Places are loaded when the field is first focused. */
export function Search({ meta, label, kinds, hint, onChoose, accepts, compact }: Props) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [isActivated, setIsActivated] = useState(false);
  const [places, setPlaces] = useState<Places | null>(null);
  const [failed, setFailed] = useState(false);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);

  const needsPlaces = kinds !== "indicators";
  useEffect(() => {
    if (isActivated && needsPlaces) loadPlaces().then(setPlaces, () => setFailed(true));
  }, [isActivated, needsPlaces]);
  const areas = useMemo(() => new Areas(meta, places), [meta, places]);
  const index = useMemo(() => new SuggestionIndex(meta, needsPlaces && isActivated ? areas : null, kinds !== "places"), [meta, areas, needsPlaces && isActivated, kinds]);
  const suggestions = useMemo(() => (text.trim() ? index.find(text, LIMIT, accepts) : []), [text, index, accepts]);
  const shown = open && suggestions.length > 0;

  const choose = (choice: Suggestion | undefined) => {
    if (!choice) return;
    setText(onChoose ? "" : choice.name);
    setOpen(false);
    setActive(-1);
    if (onChoose) onChoose(choice);
    else location.assign(choice.kind === "area" ? address("place", { area: choice.code }) : address("indicator", { indicator: choice.code }));
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const last = suggestions.length - 1;
    if (event.key === "Enter") {
      if (!suggestions.length) return;
      choose(suggestions[Math.max(active, 0)]);
    } else if (event.key === "Escape") {
      if (open && text) setOpen(false);
      else setText("");
      setActive(-1);
    } else if (event.key === "ArrowDown" && suggestions.length) {
      setActive(!shown ? 0 : active === last ? 0 : active + 1);
      setOpen(true);
    } else if (event.key === "ArrowUp" && suggestions.length) {
      setActive(!shown || active <= 0 ? last : active - 1);
      setOpen(true);
    } else if (event.key === "Home" && shown && active >= 0) setActive(0);
    else if (event.key === "End" && shown && active >= 0) setActive(last);
    else return;
    event.preventDefault();
  };

  return (
    <div class={compact ? "search compact" : "search"}>
      <label for={`${id}field`}>{label}</label>
      <div class="search-box">
        <input
          ref={field}
          id={`${id}field`}
          type="text"
          inputMode="search"
          enterKeyHint="go"
          role="combobox"
          aria-expanded={shown}
          aria-controls={`${id}list`}
          aria-autocomplete="list"
          aria-activedescendant={shown && active >= 0 ? `${id}option${active}` : undefined}
          aria-describedby={hint ? `${id}hint` : undefined}
          maxLength={100}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={text}
          onFocus={() => setIsActivated(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
          onInput={(event) => {
            setIsActivated(true);
            setText(event.currentTarget.value);
            setOpen(true);
            setActive(-1);
          }}
        />
        <ul id={`${id}list`} role="listbox" aria-label={t("search.suggestions")} hidden={!shown}>
          {shown &&
            suggestions.map((suggestion, position) => (
              <li
                key={`${suggestion.kind} ${suggestion.code}`}
                id={`${id}option${position}`}
                role="option"
                aria-selected={position === active}
                class={position === 0 && active < 0 ? "likely" : undefined}
                onMouseDown={(event) => event.preventDefault()}
                onMouseMove={() => position !== active && setActive(position)}
                onClick={() => choose(suggestion)}
              >
                <b>{suggestion.name}</b>
                <span class="small">{describe(suggestion, meta, areas)}</span>
              </li>
            ))}
        </ul>
      </div>
      {hint ? (
        <p id={`${id}hint`} class="note">
          {hint}
        </p>
      ) : null}
      <p role="status" class={open && text.trim() && !suggestions.length ? "note" : "unseen"}>
        {!open || !text.trim() ? "" : suggestions.length ? t("search.found", { n: suggestions.length }) : failed ? t("common.failed") : needsPlaces && !places ? t("common.loading") : t("search.nothing")}
      </p>
    </div>
  );
}

/** What tells a suggestion apart: the area above and the inhabitants, or the level, or that it is an indicator. */
function describe({ kind, code, area }: Suggestion, meta: Meta, areas: Areas): string {
  if (kind === "indicator") {
    const has = Object.keys(meta.indicators.find(({ indicator }) => indicator === code)?.newest ?? {}).length > 0;
    return t(has ? "search.indicator" : "search.indicator_without_data");
  }
  const parts: string[] = [];
  const level = areas.level(area);
  const parent = areas.parent(area);
  if (level !== areas.finest) parts.push(level.title);
  else if (areas.isFormer(area)) parts.push(t("search.former"));
  if (level === areas.finest && parent !== null) parts.push(t("search.within", { level: areas.level(parent).title, name: areas.name(parent) }));
  const population = areas.population(area);
  if (population !== null) parts.push(t("search.inhabitants", { n: population, number: number(population) }));
  return parts.join(", ");
}
