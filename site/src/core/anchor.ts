import { useEffect } from "preact/hooks";

/** Goes to the part of the page that the address names, once it is drawn. */
export function useAnchor(drawn: boolean): void {
  useEffect(() => {
    if (!drawn || location.hash.length < 2) return;
    let name = location.hash.slice(1);
    try {
      name = decodeURIComponent(name);
    } catch {
      return;
    }
    document.getElementById(name)?.scrollIntoView({ behavior: "instant" });
  }, [drawn]);
}
