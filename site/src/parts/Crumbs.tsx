import { t } from "../core/texts";

/** The path to a page: links from the most general to the nearest. */
export function Crumbs({ links }: { links: { text: string; href: string }[] }) {
  return (
    <nav class="crumbs" aria-label={t("common.path")}>
      <ol>
        {links.map(({ text, href }) => (
          <li key={href}>
            <a href={href}>{text}</a>
          </li>
        ))}
      </ol>
    </nav>
  );
}
