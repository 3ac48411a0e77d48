-- grain: one row per declared source
select
    source,
    position,
    title,
    publisher,
    licence,
    rights,
    carrier,
    homepage,
    citation,
    confidence,
    theme,
    kind
from {{ lake('sources') }}
