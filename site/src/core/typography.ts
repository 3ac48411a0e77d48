// What must not be torn apart at the end of a line, done once for everything that a page shows.
import { type ComponentChildren, Fragment, type VNode, options } from "preact";
import { language } from "./texts";

/** Words of one letter that must not end a line, by language. */
const SHORT: Record<string, string> = { cs: "aikosuvz", sk: "aikosuvz", pl: "aiouwz" };
/** Elements whose text is copied to other programs. */
const LITERAL = ["pre", "code", "option", "textarea", "title"];

/** A text with a space that does not break after each word of one letter, and between a number and its per cent sign. */
export function bound(text: string, locale: string): string {
  const letters = SHORT[locale];
  if (!letters || !text.includes(" ")) return text;
  const word = new RegExp(`(^|[^\\p{L}\\p{N}])([${letters}]) `, "giu");
  // Once more, because the second of two short words begins where the first one ended.
  return text.replace(word, "$1$2\u00a0").replace(word, "$1$2\u00a0").replace(/(\d) %/g, "$1\u00a0%");
}

/** Binds the short words in all texts that components make from now on, and in those that are on the page already. */
export function bindTexts(): void {
  const locale = language();
  if (!SHORT[locale]) return;
  const inside = (children: ComponentChildren): ComponentChildren =>
    typeof children === "string" ? bound(children, locale) : Array.isArray(children) ? (children as ComponentChildren[]).map(inside) : children;
  const before = options.vnode;
  options.vnode = (node: VNode) => {
    const { type, props } = node as VNode<{ children?: ComponentChildren }>;
    if (props?.children !== undefined && (type === Fragment || (typeof type === "string" && !LITERAL.includes(type)))) props.children = inside(props.children);
    before?.(node);
  };
  const written = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (written.nextNode()) written.currentNode.nodeValue = bound(written.currentNode.nodeValue!, locale);
}
