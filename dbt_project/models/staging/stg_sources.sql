-- grain: one row per declared source
select
    source,
    position,
    title,
    publisher,
    licence,
    homepage,
    citation,
    confidence,
    theme,
    kind
from {{ lake('sources') }}
