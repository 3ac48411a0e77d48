// Indicators by topic, as readers choose them.
import type { Meta } from "./data";
import { t } from "./texts";

/** What stands for the topic of the indicators that are in none. No topic of a pack has this id. */
export const NO_TOPIC = "-";

/** The topics with their indicators that have data, in the order of the pack; last those that are in no topic. */
export function topicsWithData(meta: Meta): Meta["topics"] {
  const withData = meta.indicators.filter(({ newest }) => Object.keys(newest).length > 0).map(({ indicator }) => indicator);
  const known = new Set(withData);
  const topics = meta.topics.map((topic) => ({ ...topic, indicators: topic.indicators.filter((indicator) => known.has(indicator)) }));
  const placed = new Set(topics.flatMap(({ indicators }) => indicators));
  const others = withData.filter((indicator) => !placed.has(indicator));
  return [...topics, { topic: NO_TOPIC, title: t("common.other_topics"), indicators: others }].filter(({ indicators }) => indicators.length > 0);
}
