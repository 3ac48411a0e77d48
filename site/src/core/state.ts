// The state of a view is the query of its address, so that every view can be shared.
import { useEffect, useState } from "preact/hooks";

export type Query = Record<string, string>;

const read = (): Query => Object.fromEntries(new URLSearchParams(location.search));

/** The address of a page of the site with a query; empty members are left out. */
export function address(page: string, query: Record<string, string | number | null | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  const text = search.toString().replaceAll("%2C", ",");
  return `${page === "index" ? "./" : `${page}.html`}${text ? `?${text}` : ""}`;
}

/** The query and a function that changes some of its members; `replace` leaves no entry in the history. */
export function useQuery(): [Query, (changes: Record<string, string | null>, replace?: boolean) => void] {
  const [query, setQuery] = useState(read);
  useEffect(() => {
    const listen = () => setQuery(read());
    addEventListener("popstate", listen);
    return () => removeEventListener("popstate", listen);
  }, []);
  const change = (changes: Record<string, string | null>, replace = false) => {
    const next: Query = { ...read() };
    for (const [name, value] of Object.entries(changes)) if (value) next[name] = value;
      else delete next[name];
    const page = location.pathname.split("/").pop()!.replace(/\.html$/, "") || "index";
    history[replace ? "replaceState" : "pushState"](null, "", address(page, next));
    setQuery(next);
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-language]")) link.search = location.search;
  };
  return [query, change];
}

/** What is being loaded: its value once it is there, or the error. */
export interface Loaded<T> {
  value?: T;
  error?: Error;
}

/** Load something when `key` changes. The former value stays until the new one is there; null loads nothing. */
export function useLoaded<T>(key: string | null, make: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({});
  useEffect(() => {
    if (key === null) return setState({});
    let current = true;
    make().then(
      (value) => current && setState({ value }),
      (error: Error) => current && setState({ error }),
    );
    return () => {
      current = false;
    };
  }, [key]);
  return state;
}
