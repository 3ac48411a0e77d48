import { type ComponentType, render } from "preact";
import { Areas } from "./core/areas";
import { type Meta, loadMeta } from "./core/data";
import { refuse } from "./core/loading";
import { language, loadTexts } from "./core/texts";
import { bindTexts } from "./core/typography";
import { Boundary, Failure, keepWords } from "./parts/Failure";

/** What every page gets. `areas` knows the areas of all levels but the finest one; a page that needs those loads `places.json`. */
export interface PageProps {
  meta: Meta;
  areas: Areas;
}

/** Draw a page once the files are there that every page needs. */
export async function start(Page: ComponentType<PageProps>): Promise<void> {
  const main = document.getElementById("main")!;
  if (new URLSearchParams(location.search).has("embed")) document.documentElement.classList.add("embed");
  for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-language]")) link.search = location.search;
  const current = document.querySelector<HTMLElement>(".top [aria-current]");
  const menu = current?.closest("nav");
  if (current && menu) menu.scrollLeft += current.getBoundingClientRect().right - menu.getBoundingClientRect().right;
  keepWords();
  bindTexts();
  try {
    const [meta] = await Promise.all([loadMeta(language()), loadTexts()]);
    const areas = new Areas(meta);
    main.replaceChildren();
    render(
      <Boundary>
        <Page meta={meta} areas={areas} />
      </Boundary>,
      main,
    );
  } catch (error) {
    console.error(error);
    refuse();
    main.replaceChildren();
    render(<Failure />, main);
  }
}
