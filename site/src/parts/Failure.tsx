import { Component, type ComponentChildren } from "preact";
import { refuse } from "../core/loading";
import { t } from "../core/texts";

let words: ChildNode[] = [];

/** Keep the words of a failure, which are in the page as it was written, so that saying them needs no file. To be called before the page is drawn. */
export function keepWords(): void {
  words = [...(document.querySelector(".late")?.childNodes ?? [])];
}

/** What a page says in place of its content when that cannot be shown, with a way on. */
export function Failure() {
  return <div role="alert" class="failure" ref={(element) => element?.replaceChildren(...words)} />;
}

/** Says that a part of a page was not loaded, or that of what `title` names, and leads on. */
export function NotLoaded({ title }: { title?: string }) {
  return (
    <p role="alert" class="aside-note">
      {title ? t("common.part_failed", { title }) : t("common.failed")} <a href={location.href}>{t("common.again")}</a> · <a href="../../index.html">{t("common.landing")}</a>
    </p>
  );
}

/** Shows its children, or once one of them fails `instead`, which are the words of a failure if nothing is given. */
export class Boundary extends Component<{ children: ComponentChildren; instead?: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    refuse();
    this.setState({ failed: true });
  }

  render() {
    return this.state.failed ? (this.props.instead ?? <Failure />) : this.props.children;
  }
}
