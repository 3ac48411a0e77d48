{# Whether a row with valid_from and valid_to is valid on a day. Null leaves that end open; valid_to is the first day without validity. #}
{% macro is_valid_on(row, day) -%}
    ({{ row }}.valid_from is null or {{ row }}.valid_from <= {{ day }})
    and ({{ row }}.valid_to is null or {{ day }} < {{ row }}.valid_to)
{%- endmacro %}

{# Whether a row of int_area_successions holds for the periods that begin on a day. Its valid_to is never null. #}
{% macro succession_holds_on(row, day) -%}
    {{ day }} < {{ row }}.valid_to
    and ({{ row }}.valid_from is null or {{ row }}.valid_from <= {{ day }})
{%- endmacro %}

{# Whether a day lies in a row of stg_area_gaps. #}
{% macro gap_holds_on(row, day) -%}
    {{ row }}.ended_on <= {{ day }}
    and {{ day }} < {{ row }}.resumed_on
{%- endmacro %}
