// Who could supply what is missing, each once.

/** The names in a text: "A, B" are two where A or B stands alone in another text of `all`; a name with commas of its own is one. */
function namesIn(text: string, all: Set<string>): string[] {
  const parts = text.split(/[,;] /).map((part) => part.trim());
  return parts.length > 1 && parts.some((part) => all.has(part)) ? parts : [text];
}

/** The suppliers that some texts name, each once, in the order in which they come first. `all` are the texts of all indicators. */
export function suppliersOf(texts: string[], all: Set<string>): string[] {
  return [...new Set(texts.filter(Boolean).flatMap((text) => namesIn(text, all)))];
}
