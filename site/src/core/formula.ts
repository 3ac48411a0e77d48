// Formulas of indicators (`100 * candidates [sex F] / candidates [sex _T]; missing is zero`) in parts that can be shown.

export interface Formula {
  multiplier: number | null;
  numerator: string;
  /** Null where the formula is no fraction. */
  denominator: string | null;
  /** What is done with the values: "missing is zero", "percent change over 5 years". */
  rules: string[];
}

/** The position of a text outside of brackets, or -1. */
function outside(text: string, part: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if ("([".includes(text[at]!)) depth += 1;
    else if (")]".includes(text[at]!)) depth -= 1;
    else if (depth === 0 && text.startsWith(part, at)) return at;
  }
  return -1;
}

/** The parts of a formula; null where it says nothing but the name of the indicator, or nothing. */
export function formulaOf(text: string, indicator: string): Formula | null {
  const [expression, ...rules] = text.split(";").map((part) => part.trim());
  if (!expression || (expression === indicator && rules.length === 0)) return null;
  const factor = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?) \* /.exec(expression);
  const rest = factor ? expression.slice(factor[0].length) : expression;
  const at = outside(rest, " / ");
  const bare = (part: string) => (part.startsWith("(") && outside(part.slice(1, -1), ")") < 0 && part.endsWith(")") ? part.slice(1, -1) : part);
  return {
    multiplier: factor ? Number(factor[1]) : null,
    numerator: bare(at < 0 ? rest : rest.slice(0, at)),
    denominator: at < 0 ? null : bare(rest.slice(at + 3)),
    rules,
  };
}
