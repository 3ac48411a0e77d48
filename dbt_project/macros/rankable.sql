{#
  Whether readers are shown the ranks of an index, or only fifths. `i` is the row of stg_indices, `s` its statistics. The share is unknown
  without a declaration of uncertainty, and where no area is ranked.
#}
{% macro is_rankable() -%}
    coalesce(s.rank_interval_share <= {{ var('rankable').largest_share }}, false)
{%- endmacro %}

{# Why an index is shown in fifths, or what its ranks rest on. Languages without a text of their own have the English one. #}
{% macro index_note(language) -%}
    {%- set texts = index_notes().get(language, index_notes()['en']) -%}
    {%- set percent = "cast(round(100 * s.rank_interval_share) as integer)" -%}
    case
        when i.uncertainty is null then '{{ texts.unknown }}'
        when s.rank_interval_share is null then '{{ texts.unranked }}'
        when {{ is_rankable() }} then concat('{{ texts.rankable[0] }}', {{ percent }}, '{{ texts.rankable[1] }}')
        else concat('{{ texts.fifths[0] }}', {{ percent }}, '{{ texts.fifths[1] }}')
    end
{%- endmacro %}

{% macro index_notes() -%}
    {{ return({
        'en': {
            'unknown': 'Shown in fifths: the index does not declare how far its ranks depend on weights, normalisation and the choice of indicators.',
            'unranked': 'No area has a rank: none has all the indicators of the index.',
            'rankable': ['Under other weights, normalisations and sets of indicators, the rank of a typical area varies over ', ' % of all ranks.'],
            'fifths': [
                'Shown in fifths: under other weights, normalisations and sets of indicators, the rank of a typical area varies over ',
                ' % of all ranks, so that a single rank says too much.',
            ],
        },
        'cs': {
            'unknown': 'Uvádí se jen pětina: index neuvádí, jak jeho pořadí závisí na vahách, normalizaci a výběru ukazatelů.',
            'unranked': 'Žádné území nemá pořadí, protože žádné nemá všechny ukazatele indexu.',
            'rankable': ['Při jiných vahách, normalizaci a výběru ukazatelů se pořadí typického území pohybuje v rozmezí ', ' % všech pořadí.'],
            'fifths': [
                'Uvádí se jen pětina: při jiných vahách, normalizaci a výběru ukazatelů se pořadí typického území pohybuje v rozmezí ',
                ' % všech pořadí, takže přesné pořadí by říkalo příliš mnoho.',
            ],
        },
        'sk': {
            'unknown': 'Uvádza sa len pätina: index neuvádza, ako jeho poradie závisí od váh, normalizácie a výberu ukazovateľov.',
            'unranked': 'Žiadne územie nemá poradie, pretože žiadne nemá všetky ukazovatele indexu.',
            'rankable': ['Pri iných váhach, normalizácii a výbere ukazovateľov sa poradie typického územia pohybuje v rozpätí ', ' % všetkých poradí.'],
            'fifths': [
                'Uvádza sa len pätina: pri iných váhach, normalizácii a výbere ukazovateľov sa poradie typického územia pohybuje v rozpätí ',
                ' % všetkých poradí, takže presné poradie by hovorilo priveľa.',
            ],
        },
    }) }}
{%- endmacro %}
