import type { Areas } from "../../core/areas";
import type { Meta } from "../../core/data";
import { t } from "../../core/texts";
import { Disclosure } from "../../parts/Disclosure";
import { Search } from "../../parts/Search";
import { Segmented } from "../../parts/Segmented";
import { Chips } from "./Chips";
import { type GroupKind, MOST_MEMBERS, type Selection, finestWithin } from "./selection";

interface Props {
  meta: Meta;
  areas: Areas;
  selection: Selection;
  change: (changes: Record<string, string | null>, replace?: boolean) => void;
}

/** More members than these are folded away. */
const SHOWN = 12;

/** The group that is added up: the chosen places, places of its own, or none. */
export function GroupChoice({ meta, areas, selection, change }: Props) {
  const { places, kind, members, name } = selection;
  const choose = (chosen: string) => {
    if (chosen === kind) return;
    const values: Record<GroupKind, string | null> = { chosen: null, none: "none", own: places.join(",") };
    change({ group: values[chosen as GroupKind] || null, name: null });
  };
  const put = (codes: string[]) => change({ group: codes.slice(0, MOST_MEMBERS).join(",") || "none" });
  const chips = <Chips label={t("compare.members")} codes={members} areas={areas} onRemove={(code) => put(members.filter((member) => member !== code))} />;
  return (
    <div class="group-choice">
      <p class="choice-label" aria-hidden="true">
        {t("compare.group_choice")}
      </p>
      <Segmented
        label={t("compare.group_choice")}
        options={(["chosen", "own", "none"] as const).map((value) => ({ value, text: t(`compare.group_${value}`) }))}
        chosen={kind}
        onChoose={choose}
      />
      {kind === "own" ? (
        <div class="group-own">
          <label class="group-name">
            <span>{t("compare.group_name")}</span>
            <input type="text" maxLength={60} value={name} onInput={(event) => change({ name: event.currentTarget.value || null }, true)} />
          </label>
          <Search
            meta={meta}
            label={t("compare.add_member")}
            hint={t("compare.add_member_hint")}
            kinds="places"
            compact
            accepts={({ area }) => {
              const within = finestWithin(area, areas);
              return within.length > 0 && within.length + members.length <= MOST_MEMBERS && within.some((member) => !members.includes(areas.code(member)));
            }}
            onChoose={({ area }) => put([...new Set([...members, ...finestWithin(area, areas).map((member) => areas.code(member))])])}
          />
          {members.length > SHOWN ? <Disclosure summary={t("compare.members_summary", { n: members.length })}>{() => chips}</Disclosure> : chips}
        </div>
      ) : null}
    </div>
  );
}
